import type { Connection } from '../../shared/connection/connection.ts';
import type { Cluster } from '../../test/support/cluster.ts';
import { batchOfSize } from '../harness/batches.ts';
import { connectTo, DIALECTS, produce, type Dialect } from '../harness/dialect.ts';
import { underLoad, type LoadResult } from '../harness/load.ts';
import type { BenchOptions, Scenario } from '../harness/scenario.ts';
import { median } from '../harness/statistics.ts';
import { addressOf, createTopic, deleteTopic, withAdmin, withCluster } from '../harness/test-cluster.ts';

const BATCH = batchOfSize(64 << 10);
const IN_FLIGHT = 16;

/** Three brokers, each record on all of them, against one of the same brokers alone. */
export const replicated: Scenario = {
  name: 'replicated',
  what: 'produce to three brokers with acks=all, against one broker with acks=1',
  run: (options, report) =>
    withCluster(
      3,
      async cluster => {
        for (const dialect of DIALECTS) {
          const results: { alone: LoadResult; together: LoadResult }[] = [];
          for (let round = 0; round < options.rounds; round++) {
            const alone = await produceTo(cluster, dialect, 1, options);
            results.push({ alone, together: await produceTo(cluster, dialect, 3, options) });
          }
          const of = (number: keyof LoadResult, unit: string, name: string) =>
            report({
              name: `produce 64 KiB ${dialect}, three brokers, acks=all, ${name}`,
              value: median(results.map(({ together }) => together[number])),
              unit,
              reference: { what: 'one broker, acks=1', value: median(results.map(({ alone }) => alone[number])) },
              ratio: median(results.map(({ alone, together }) => together[number] / alone[number])),
            });
          of('megabytesPerSecond', 'MB/s', 'throughput');
          of('cpuPerGigabyte', 's/GB', 'CPU of all three');
        }
      },
      { 'min.insync.replicas': '1' },
    ),
};

async function produceTo(
  cluster: Cluster,
  dialect: Dialect,
  replicas: 1 | 3,
  options: BenchOptions,
): Promise<LoadResult> {
  const topic = `replicas-${replicas}`;
  await createTopic(cluster, topic, 1, replicas);
  const leader = await withAdmin(cluster, async admin => (await admin.describeTopic(topic)).partitions[0]!.leader);
  const connection: Connection = await connectTo(dialect, addressOf(cluster.brokers[leader]!));
  try {
    return await underLoad({
      call: async () => {
        await produce(connection, topic, 0, BATCH.bytes, replicas === 1 ? 1 : -1);
        return BATCH.bytes.length;
      },
      inFlight: IN_FLIGHT,
      pids: cluster.brokers.map(broker => broker.pid),
      ...options,
    });
  } finally {
    connection.close();
    await deleteTopic(cluster, topic);
  }
}
