import { createConsumer } from '../../client/create/consumer.ts';
import type { Consumer } from '../../client/consumer/consumer.ts';
import type { OffsetToCommit } from '../../client/groups/committed-offsets.ts';
import type { ConsumerRecord } from '../../client/consumer/record.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { SimulatedConnector } from './connector.ts';
import { Life } from './life.ts';
import { TeamHistory } from '../support/team-history.ts';
import { PARTITIONS, TOPICS } from './topics.ts';
import type { World } from './world.ts';

export const MEMBER_NAMES: readonly string[] = ['member-1', 'member-2', 'member-3'];
const STRATEGIES = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const;
/** Milliseconds that a member may be at work on what one poll has brought. */
const MAX_POLL_INTERVAL_MS = 10_000;
/** Milliseconds in which a group has to have read everything once nothing is wrong any more. */
const RECOVERY_MS = 120_000;

/** A consumer process of the group that commits what it has worked on, never more. */
export class Member {
  readonly name: string;
  life: Life | null = null;
  readonly #world: World;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #random: Random;
  readonly #history: TeamHistory;
  #consumer: Consumer | null = null;
  /** Partitions taken over and not read yet, with how far the group was then. */
  #fresh = new Map<string, number>();
  /** Worked on and not committed yet. */
  #due = new Map<string, OffsetToCommit>();

  constructor(name: string, world: World, settings: Readonly<Record<string, string>>, history: TeamHistory) {
    this.name = name;
    this.#world = world;
    this.#settings = settings;
    this.#random = seededRandom(world.random.int(2 ** 31));
    this.#history = history;
  }

  get assignment(): readonly TopicPartition[] {
    return this.#consumer?.assignment() ?? [];
  }

  get generation(): number {
    return this.#consumer?.groupMetadata().generationId ?? -1;
  }

  start(): void {
    if (this.life !== null) return;
    const world = this.#world;
    world.note(`${this.name} starts`);
    const life = new Life(world.time);
    this.life = life;
    this.#fresh = new Map();
    this.#due = new Map();
    const connector = new SimulatedConnector({
      ...world.connectorParts(this.name, life),
      requestTimeoutMs: 5_000,
      negotiate: true,
    });
    const random = seededRandom(this.#random.int(2 ** 31));
    const runtime = { clock: world.time, timers: life, random, logger: world.loggerOf(this.name) };
    const consumer = createConsumer(this.#settings, { connector, runtime });
    this.#consumer = consumer;
    const forget = (partitions: readonly TopicPartition[]) => {
      for (const key of partitions.map(keyOf)) {
        this.#fresh.delete(key);
        this.#due.delete(key);
      }
    };
    consumer.subscribe(
      TOPICS.map(({ name }) => name),
      {
        onPartitionsAssigned: added => this.#assigned(consumer, added),
        onPartitionsRevoked: forget,
      },
    );
    void this.#work(consumer, life);
  }

  #assigned(consumer: Consumer, added: readonly TopicPartition[]): void {
    const { memberId, generationId } = consumer.groupMetadata();
    this.#world.note(`${this.name} has ${consumer.assignment().map(keyOf).join()} in generation ${generationId}`);
    this.#history.owns(`${this.name} (${memberId})`, generationId, consumer.assignment());
    for (const key of added.map(keyOf)) this.#fresh.set(key, this.#history.progress(key));
  }

  async #work(consumer: Consumer, life: Life): Promise<void> {
    while (this.#consumer === consumer) {
      try {
        const records = await consumer.poll(300);
        this.#do(records);
        // Now and then it takes so long that the group goes on without it.
        if (records.length > 0 && this.#random.int(60) === 0)
          await life.sleep(this.#random.int(2 * MAX_POLL_INTERVAL_MS));
        await this.#commit(consumer);
      } catch (error) {
        this.#world.note(`${this.name}: ${(error as Error).message}`);
      }
      await life.sleep(20);
    }
  }

  #do(records: readonly ConsumerRecord[]): void {
    for (const { topic, partition, offset, value } of records) {
      const key = partitionKey(topic, partition);
      const atLeast = this.#fresh.get(key);
      if (atLeast !== undefined) this.#history.started(this.name, key, offset, atLeast);
      this.#fresh.delete(key);
      this.#history.worked(key, offset, String(value));
      this.#due.set(key, { topic, partition, offset: offset + 1 });
    }
  }

  async #commit(consumer: Consumer): Promise<void> {
    const offsets = [...this.#due.values()];
    if (offsets.length === 0) return;
    const before = offsets.map(each => this.#history.progress(keyOf(each)));
    await consumer.commit(offsets);
    offsets.forEach((each, i) => {
      const key = keyOf(each);
      this.#history.committed(this.name, key, each.offset, before[i]!);
      if (this.#due.get(key)?.offset === each.offset) this.#due.delete(key);
    });
  }

  /** Goes in an orderly way; a process that does not come to its end is killed when it is started anew. */
  leave(): void {
    const { life } = this;
    const consumer = this.#consumer;
    if (life === null || consumer === null) return;
    this.#world.note(`${this.name} leaves`);
    this.#consumer = null;
    void consumer.close().then(() => {
      if (this.life === life) this.#end();
    });
  }

  /** kill -9. */
  kill(): void {
    if (this.life === null) return;
    this.#world.note(`${this.name} is killed`);
    this.#end();
  }

  #end(): void {
    const life = this.life!;
    life.end();
    for (const connection of this.#world.network.connections) if (connection.isOf(life)) connection.reset();
    this.life = null;
    this.#consumer = null;
  }
}

/** A group of three that reads all topics. */
export class Team {
  readonly history = new TeamHistory();
  readonly members: readonly Member[];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    const settings = {
      'bootstrap.servers': world.brokers.map(({ name }) => `${name}:9092`).join(','),
      'group.id': 'team',
      'partition.assignment.strategy': STRATEGIES[world.random.int(STRATEGIES.length)]!,
      'session.timeout.ms': '6000',
      'heartbeat.interval.ms': '1500',
      'max.poll.interval.ms': String(MAX_POLL_INTERVAL_MS),
      'max.poll.records': '20',
      'request.timeout.ms': '5000',
      'default.api.timeout.ms': '8000',
      'fetch.max.wait.ms': '300',
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': 'false',
    };
    this.members = MEMBER_NAMES.map(name => new Member(name, world, settings, this.history));
  }

  start(): void {
    for (const member of this.members) member.start();
  }

  /** Waits until everything is worked on and committed, by one generation that everybody is in. @throws Error */
  async finish(): Promise<void> {
    const { time } = this.#world;
    const end = time.now() + RECOVERY_MS;
    for (let problem = this.#unfinished(); problem !== null; problem = this.#unfinished()) {
      if (time.now() > end) throw new Error(`the group does not come to its end: ${problem}`);
      await time.sleep(250);
      this.start();
    }
  }

  #unfinished(): string | null {
    const generations = new Set(this.members.map(({ generation }) => generation));
    if (generations.size > 1 || generations.has(-1)) return `its members are in generations ${[...generations].join()}`;
    const owned = this.members.flatMap(({ assignment }) => assignment.map(keyOf)).sort();
    const all = PARTITIONS.map(keyOf).sort();
    if (owned.join() !== all.join()) return `its members have ${owned.join()}`;
    for (const { topic, partition } of PARTITIONS) {
      const key = partitionKey(topic, partition);
      const end = this.#world.brokers[0]!.rooms?.logs.getLog(topic, partition)?.logEndOffset;
      if (this.history.progress(key) !== end)
        return `${key} ends at ${end}, ${this.history.progress(key)} is committed`;
    }
    return null;
  }

  /** All leave the group. */
  async stop(): Promise<void> {
    for (const member of this.members) member.leave();
    await this.#world.time.sleep(2_000);
    for (const member of this.members) member.kill();
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return partitionKey(topic, partition);
}
