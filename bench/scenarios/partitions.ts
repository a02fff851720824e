import type { Cluster } from '../../test/support/cluster.ts';
import { batchOfSize } from '../harness/batches.ts';
import { connectTo, produce } from '../harness/dialect.ts';
import { inTurns, ratioOf, valueOf, type Contestant } from '../harness/in-turns.ts';
import { underLoad, type LoadResult } from '../harness/load.ts';
import type { Scenario } from '../harness/scenario.ts';
import { addressOf, createTopic, withCluster } from '../harness/test-cluster.ts';

const COUNTS = [1, 100, 1_000];
const BATCH = batchOfSize(64 << 10);
const IN_FLIGHT = 16;

/** The same load spread over more and more partitions of one broker. */
export const partitions: Scenario = {
  name: 'partitions',
  what: 'produce of 64 KiB batches, acks=1, spread over 1, 100 and 1,000 partitions of one broker',
  run: ({ rounds, durationMs }, report) =>
    withCluster(1, async cluster => {
      for (const count of COUNTS) {
        const topic = `spread-${count}`;
        await createTopic(cluster, topic, count, 1, RETENTION);
      }
      const contestants = COUNTS.map(
        (count): Contestant =>
          warmUpMs =>
            produceTo(cluster, count, { warmUpMs, durationMs }),
      );
      const results = await inTurns(contestants, rounds);
      COUNTS.forEach((count, i) => {
        report({
          name: `produce 64 KiB kafka, partitions: ${count}`,
          value: valueOf(results, i, 'megabytesPerSecond'),
          unit: 'MB/s',
          ...(i > 0 && {
            reference: { what: '1 partition', value: valueOf(results, 0, 'megabytesPerSecond') },
            ratio: ratioOf(results, i, 0, 'megabytesPerSecond'),
            target: { limit: 0.8, is: 'min' as const, of: 'ratio' as const },
          }),
        });
      });
    }),
};

/** Old segments go as fast as the broker looks for them, so that a run does not fill the disk. */
const RETENTION = { 'retention.bytes': String(256 << 20), 'segment.bytes': String(64 << 20) };

async function produceTo(
  cluster: Cluster,
  count: number,
  times: { readonly warmUpMs: number; readonly durationMs: number },
): Promise<LoadResult> {
  const broker = cluster.brokers[0]!;
  const connection = await connectTo('kafka', addressOf(broker));
  let next = 0;
  try {
    return await underLoad({
      call: async () => {
        await produce(connection, `spread-${count}`, next++ % count, BATCH.bytes, 1);
        return BATCH.bytes.length;
      },
      inFlight: IN_FLIGHT,
      pids: [broker.pid],
      ...times,
    });
  } finally {
    connection.close();
  }
}
