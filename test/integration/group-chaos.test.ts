import { afterEach, expect, test } from 'vitest';
import { createAdmin } from '../../client/index.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { coordinatorPartition } from '../../shared/topics/coordinator-partition.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { MemberProcess, type MemberEvent } from '../support/member-process.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { TeamHistory } from '../support/team-history.ts';
import { waitFor } from '../support/wait.ts';

/** Seconds of trouble: `npm run test:soak` makes them two minutes, in which 100,000 records flow; on a slow machine it takes longer. */
const SECONDS = Number(process.env.GROUP_CHAOS_SECONDS ?? 25);
const RECORDS = Math.round((SECONDS * 100_000) / 120);
const SEED = Number(process.env.GROUP_CHAOS_SEED ?? Date.now() % 1_000_000);
const TOPIC = 'work';
const GROUP = 'team';
const PARTITIONS = 12;
const MEMBERS = 5;
const OFFSETS_PARTITIONS = 5;
const STRATEGIES = ['range', 'cooperative-sticky'];

let cluster: Cluster | null = null;
const places: Place[] = [];

afterEach(async () => {
  for (const { member } of places) await member?.kill();
  await cluster?.stop();
});

/** Where one member process lives after the other. */
class Place {
  readonly name: string;
  member: MemberProcess | null = null;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #judge: Judge;

  constructor(name: string, settings: Readonly<Record<string, string>>, judge: Judge) {
    this.name = name;
    this.#settings = settings;
    this.#judge = judge;
  }

  start(): void {
    this.#judge.began(this.name);
    this.member ??= new MemberProcess(TOPIC, this.#settings, event => this.#judge.heard(this.name, event));
  }
}

/** Puts what the members tell together. */
class Judge {
  readonly history = new TeamHistory();
  /** Numbers of the records that somebody has worked on, and how often each. */
  readonly worked = new Map<string, number>();
  /** By member and partition: taken over, not read yet; how far the group was then. */
  readonly #fresh = new Map<string, number>();
  readonly #before = new Map<string, number>();
  readonly holdings = new Map<string, readonly number[]>();

  began(name: string): void {
    this.holdings.delete(name);
    for (const key of [...this.#fresh.keys()]) if (key.startsWith(`${name} `)) this.#fresh.delete(key);
  }

  heard(name: string, event: MemberEvent): void {
    if (event.event === 'assigned') this.#assigned(name, event);
    else if (event.event === 'worked') this.#worked(name, event);
    else if (event.event === 'committing') {
      for (const [partition] of event.offsets)
        this.#before.set(`${name} ${partition}`, this.history.progress(partitionKey(TOPIC, partition)));
    } else if (event.event === 'committed') {
      for (const [partition, offset] of event.offsets) {
        const before = this.#before.get(`${name} ${partition}`)!;
        this.history.committed(name, partitionKey(TOPIC, partition), offset, before);
      }
    }
  }

  #assigned(name: string, { memberId, generation, owned, added }: MemberEvent & { event: 'assigned' }): void {
    this.holdings.set(name, owned);
    this.history.owns(
      memberId,
      generation,
      owned.map(partition => ({ topic: TOPIC, partition })),
    );
    for (const partition of added)
      this.#fresh.set(`${name} ${partition}`, this.history.progress(partitionKey(TOPIC, partition)));
  }

  #worked(name: string, { partition, offset, value }: MemberEvent & { event: 'worked' }): void {
    const key = partitionKey(TOPIC, partition);
    const atLeast = this.#fresh.get(`${name} ${partition}`);
    if (atLeast !== undefined) this.history.started(name, key, offset, atLeast);
    this.#fresh.delete(`${name} ${partition}`);
    this.history.worked(key, offset, value);
    this.worked.set(value, (this.worked.get(value) ?? 0) + 1);
  }
}

/** One thing that goes wrong with a member, and how it ends. */
async function trouble(place: Place, random: Random): Promise<void> {
  const { member } = place;
  if (member === null || member.isFrozen) return;
  const kind = random.int(3);
  const pause = () => new Promise(resolve => setTimeout(resolve, 200 + random.int(8_000)));
  if (kind === 0) {
    member.freeze();
    await pause();
    member.thaw();
    return;
  }
  place.member = null;
  if (kind === 1) await member.kill();
  else await member.leave();
  await pause();
  place.start();
}

/** Twice, and never two brokers at a time. */
async function killCoordinators({ brokers, bootstrap }: Cluster, everyMs: number): Promise<void> {
  const admin = createAdmin({ 'bootstrap.servers': bootstrap });
  for (let times = 0; times < 2; times++) {
    await new Promise(resolve => setTimeout(resolve, everyMs));
    const leader = await waitFor('the coordinator', async () => {
      const { partitions } = await admin.describeTopic('__consumer_offsets');
      const { leader, isr } = partitions[coordinatorPartition(GROUP, OFFSETS_PARTITIONS)]!;
      return isr.length === brokers.length && brokers[leader];
    });
    await leader.kill();
    await new Promise(resolve => setTimeout(resolve, 2_000));
    await leader.start();
  }
  admin.close();
}

test(
  `members come, go, crash and freeze for ${SECONDS} s, the coordinator dies twice: nothing is lost, what is committed is not repeated`,
  { timeout: (2 * SECONDS + 240) * 1000 },
  async () => {
    const random = seededRandom(SEED);
    const strategy = STRATEGIES[random.int(STRATEGIES.length)]!;
    console.log(`group chaos: GROUP_CHAOS_SEED=${SEED}, ${strategy}`);
    cluster = await startCluster({
      properties: {
        'offsets.topic.replication.factor': '3',
        'offsets.topic.num.partitions': String(OFFSETS_PARTITIONS),
        'group.min.session.timeout.ms': '1000',
        'group.initial.rebalance.delay.ms': '200',
        'zookeeper.session.timeout.ms': '3000',
        'min.insync.replicas': '2',
      },
    });
    const { bootstrap } = cluster;
    const admin = createAdmin({ 'bootstrap.servers': bootstrap });
    await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3 }]);
    admin.close();
    const judge = new Judge();
    for (let n = 1; n <= MEMBERS; n++) {
      const settings = {
        'bootstrap.servers': bootstrap,
        'group.id': GROUP,
        'session.timeout.ms': '3000',
        'heartbeat.interval.ms': '500',
        'max.poll.records': '50',
        'request.timeout.ms': '5000',
        'partition.assignment.strategy': strategy,
        'samsa.dialect': n % 2 === 0 ? 'kafka' : 'http2',
      };
      places.push(new Place(`member-${n}`, settings, judge));
    }
    for (const place of places) place.start();
    const writer = new SteadyWriter({ bootstrap, topic: TOPIC, partitions: PARTITIONS, everyMs: 14 });
    const end = performance.now() + SECONDS * 1000;
    const troubles = [killCoordinators(cluster, SECONDS * 300)];
    while (performance.now() < end || writer.acknowledged.size < RECORDS) {
      await new Promise(resolve => setTimeout(resolve, 200 + random.int(2_000)));
      troubles.push(trouble(places[random.int(MEMBERS)]!, random));
    }
    await Promise.all(troubles);
    await writer.stop();
    expect(writer.failed).toEqual([]);
    const all = [...writer.acknowledged.values()].map(String);
    await waitFor('every record to be worked on', () => all.every(number => judge.worked.has(number)), {
      timeoutMs: 120_000,
      everyMs: 250,
    });
    await waitFor('the partitions to be shared out', () => {
      const held = [...judge.holdings.values()].flat().sort((a, b) => a - b);
      return held.join() === Array.from({ length: PARTITIONS }, (_, partition) => partition).join();
    });
    const repeats = [...judge.worked.values()].reduce((sum, times) => sum + times - 1, 0);
    console.log(`group chaos: ${all.length} records, ${repeats} repeated, ${troubles.length} troubles`);
    expect(judge.history.problems).toEqual([]);
    await Promise.all(places.map(({ member }) => member!.leave()));
  },
);
