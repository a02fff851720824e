import { createConsumer, type Consumer } from '../../client/index.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { FindCoordinator } from '../../shared/protocol/messages/find-coordinator.ts';
import { OffsetCommit } from '../../shared/protocol/messages/offset-commit.ts';
import { OffsetFetch } from '../../shared/protocol/messages/offset-fetch.ts';
import type { BrokerProcess } from '../../test/support/broker-process.ts';
import type { Cluster } from '../../test/support/cluster.ts';
import { waitFor } from '../../test/support/wait.ts';
import { connectTo, DIALECTS } from '../harness/dialect.ts';
import { sleep, underLoad } from '../harness/load.ts';
import type { Scenario } from '../harness/scenario.ts';
import { median } from '../harness/statistics.ts';
import { addressOf, createTopic, withCluster } from '../harness/test-cluster.ts';

/** Members of the groups whose rebalances are measured; each gets one partition. */
const SIZES = [1, 10, 100];
const REBALANCES = 5;
const HEARTBEAT_MS = 100;
const SESSION_TIMEOUT_MS = 2_000;
const GROUPS = 1_000;
const OFFSETS_A_GROUP = 1_000;
const COMMIT_VERSION = 7;
const FETCH_VERSION = 5;
const RETRY_MS = 10;
const PROPERTIES = {
  'offsets.topic.num.partitions': '1',
  'offsets.topic.replication.factor': '3',
  'group.initial.rebalance.delay.ms': '0',
  'zookeeper.session.timeout.ms': String(SESSION_TIMEOUT_MS),
  'auto.leader.rebalance.enable': 'false',
};

export const groups: Scenario = {
  name: 'groups',
  what: 'rebalances of 1, 10 and 100 members; commits per second; a coordinator with a million offsets is killed',
  run: (options, report) =>
    withCluster(
      3,
      async cluster => {
        for (const size of SIZES) {
          const name = `a member joins a group of ${size}, until all have their share`;
          report({ name, value: (await rebalance(cluster, size)) / 1000, unit: 's' });
        }
        await createTopic(cluster, 'committed', OFFSETS_A_GROUP, 1);
        for (const dialect of DIALECTS) {
          const { connection, broker } = await coordinator(cluster, dialect);
          const load = await underLoad({
            call: async () => {
              await commit(connection, 'busy', 1);
              return 1;
            },
            inFlight: 16,
            warmUpMs: 2_000,
            durationMs: options.durationMs * options.rounds,
            pids: [broker.pid],
          });
          connection.close();
          report({
            name: `commits of one offset ${dialect}, three brokers`,
            value: load.callsPerSecond,
            unit: 'commits/s',
          });
        }
        report({
          name: `fail-over of a coordinator with ${(GROUPS * OFFSETS_A_GROUP).toLocaleString('en')} offsets, after the session timeout`,
          value: (await loadElsewhere(cluster)) / 1000,
          unit: 's',
          target: { limit: 3, is: 'max', of: 'value' },
        });
      },
      PROPERTIES,
    ),
};

/** Milliseconds from the first poll of a member more until all are in its generation. */
async function rebalance(cluster: Cluster, size: number): Promise<number> {
  const topic = `shared-${size}`;
  await createTopic(cluster, topic, size + 1, 1);
  const members = Array.from({ length: size }, () => new Member(cluster, topic));
  const times: number[] = [];
  try {
    await allIn(members);
    for (let round = 0; round < REBALANCES; round++) {
      const begin = performance.now();
      const added = new Member(cluster, topic);
      await allIn([...members, added]);
      times.push(performance.now() - begin);
      await added.stop();
      await allIn(members);
    }
  } finally {
    await Promise.all(members.map(member => member.stop()));
  }
  return median(times);
}

/** Every member has a share, and all partitions are given out in one generation. */
async function allIn(members: readonly Member[]): Promise<void> {
  await waitFor(
    `${members.length} members to be in one generation`,
    () => {
      const shares = members.map(member => member.consumer.assignment().length);
      const generations = new Set(members.map(member => member.consumer.groupMetadata().generationId));
      const total = shares.reduce((sum, share) => sum + share, 0);
      return generations.size === 1 && total === members[0]!.partitions && shares.every(share => share > 0);
    },
    { everyMs: 2 },
  );
}

class Member {
  readonly consumer: Consumer;
  readonly partitions: number;
  readonly #loop: Promise<void>;
  #isRunning = true;

  constructor(cluster: Cluster, topic: string) {
    this.partitions = Number(topic.split('-')[1]) + 1;
    this.consumer = createConsumer({
      'bootstrap.servers': cluster.bootstrap,
      'group.id': topic,
      'heartbeat.interval.ms': HEARTBEAT_MS,
      'enable.auto.commit': false,
    });
    this.consumer.subscribe([topic]);
    this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    while (this.#isRunning) await this.consumer.poll(1_000);
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.consumer.wakeup();
    await this.#loop;
    await this.consumer.close();
  }
}

async function coordinator(
  cluster: Cluster,
  dialect: 'kafka' | 'http2',
): Promise<{ connection: Connection; broker: BrokerProcess }> {
  const any = await connectTo(dialect, addressOf(cluster.brokers.find(({ running }) => running)!));
  const id = await waitFor('the coordinator to be known', async () => {
    const answer = await any.call(FindCoordinator, { key: 'busy', keyType: 0 }, { version: 2 });
    return answer!.errorCode === ErrorCode.NONE && String(answer!.nodeId);
  });
  any.close();
  const broker = cluster.brokers[Number(id)]!;
  return { broker, connection: await connectTo(dialect, addressOf(broker)) };
}

async function commit(connection: Connection, groupId: string, offsets: number): Promise<void> {
  const partitions = Array.from({ length: offsets }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: 1,
    committedMetadata: '',
  }));
  const answer = await connection.call(
    OffsetCommit,
    { groupId, topics: [{ name: 'committed', partitions }] },
    { version: COMMIT_VERSION },
  );
  const failed = answer!.topics[0]!.partitions.find(({ errorCode }) => errorCode !== ErrorCode.NONE);
  if (failed !== undefined) throw new Error(`a commit was answered with error ${failed.errorCode}`);
}

/** Milliseconds from the kill to the first answer of the next coordinator, less the session timeout. */
async function loadElsewhere(cluster: Cluster): Promise<number> {
  const { connection, broker } = await coordinator(cluster, 'kafka');
  for (let group = 0; group < GROUPS; group++) await commit(connection, `group-${group}`, OFFSETS_A_GROUP);
  connection.close();
  const others = await Promise.all(
    cluster.brokers.filter(other => other !== broker).map(other => connectTo('kafka', addressOf(other))),
  );
  const begin = performance.now();
  await broker.kill();
  while (!(await anyAnswers(others))) await sleep(RETRY_MS);
  for (const other of others) other.close();
  return performance.now() - begin - SESSION_TIMEOUT_MS;
}

async function anyAnswers(connections: readonly Connection[]): Promise<boolean> {
  const request = { groupId: 'group-7', topics: [{ name: 'committed', partitionIndexes: [OFFSETS_A_GROUP - 1] }] };
  const answers = await Promise.all(
    connections.map(connection => connection.call(OffsetFetch, request, { version: FETCH_VERSION })),
  );
  return answers.some(answer => answer!.topics[0]?.partitions[0]?.committedOffset === 1);
}
