import type { Connection } from '../../shared/connection/connection.ts';
import type { Cluster } from '../../test/support/cluster.ts';
import { waitFor } from '../../test/support/wait.ts';
import { batchOfSize } from '../harness/batches.ts';
import { connectTo, DIALECTS, produce, type Dialect } from '../harness/dialect.ts';
import { inTurns, ratioOf, valueOf, type Contestant } from '../harness/in-turns.ts';
import { underLoad, type LoadResult } from '../harness/load.ts';
import type { Scenario } from '../harness/scenario.ts';
import { addressOf, createTopic, deleteTopic, leaderOf, withCluster } from '../harness/test-cluster.ts';

const BATCH = batchOfSize(64 << 10);
const IN_FLIGHT = 16;
let turns = 0;

/** Three brokers, each record on all of them, against one of the same brokers alone. */
export const replicated: Scenario = {
  name: 'replicated',
  what: 'produce to three brokers with acks=all, against one broker with acks=1',
  run: ({ rounds, durationMs }, report) =>
    withCluster(
      3,
      async cluster => {
        for (const dialect of DIALECTS) {
          const contestants = ([3, 1] as const).map(
            (replicas): Contestant =>
              warmUpMs =>
                produceTo(cluster, dialect, replicas, { warmUpMs, durationMs }),
          );
          const results = await inTurns(contestants, rounds);
          const of = (number: keyof LoadResult, unit: string, name: string) =>
            report({
              name: `produce 64 KiB ${dialect}, three brokers, acks=all, ${name}`,
              value: valueOf(results, 0, number),
              unit,
              reference: { what: 'one broker, acks=1', value: valueOf(results, 1, number) },
              ratio: ratioOf(results, 0, 1, number),
            });
          of('megabytesPerSecond', 'MB/s', 'throughput');
          of('cpuPerGigabyte', 's/GB', 'CPU of all three');
          report({
            name: `produce 64 KiB ${dialect}, three brokers, acks=all, peak memory of the largest`,
            value: valueOf(results, 0, 'peakMiB'),
            unit: 'MiB',
            target: { limit: 256, is: 'max', of: 'value' },
          });
        }
      },
      { 'min.insync.replicas': '1' },
    ),
};

async function produceTo(
  cluster: Cluster,
  dialect: Dialect,
  replicas: 1 | 3,
  times: { readonly warmUpMs: number; readonly durationMs: number },
): Promise<LoadResult> {
  // A name of its own each time: brokers that have not heard of a deletion yet would tell of the former topic.
  const topic = `replicas-${replicas}-${turns++}`;
  await createTopic(cluster, topic, 1, replicas);
  const leader = await leaderOf(cluster, topic);
  const connection: Connection = await connectTo(dialect, addressOf(leader));
  const acks = replicas === 1 ? 1 : -1;
  try {
    // The broker that was asked who leads may know of the topic before the leader does.
    await waitFor(`${topic} to be led`, () => produce(connection, topic, 0, BATCH.bytes, acks).then(() => true));
    return await underLoad({
      call: async () => {
        await produce(connection, topic, 0, BATCH.bytes, acks);
        return BATCH.bytes.length;
      },
      inFlight: IN_FLIGHT,
      pids: cluster.brokers.map(broker => broker.pid),
      ...times,
    });
  } finally {
    connection.close();
    await deleteTopic(cluster, topic);
  }
}
