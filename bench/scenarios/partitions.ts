import type { Cluster } from '../../test/support/cluster.ts';
import { batchOfSize } from '../harness/batches.ts';
import { connectTo, produce } from '../harness/dialect.ts';
import { underLoad, type LoadResult } from '../harness/load.ts';
import type { BenchOptions, Scenario } from '../harness/scenario.ts';
import { median } from '../harness/statistics.ts';
import { addressOf, createTopic, withCluster } from '../harness/test-cluster.ts';

const COUNTS = [1, 100, 1_000];
const BATCH = batchOfSize(64 << 10);
const IN_FLIGHT = 16;

/** The same load spread over more and more partitions of one broker. */
export const partitions: Scenario = {
  name: 'partitions',
  what: 'produce of 64 KiB batches, acks=1, spread over 1, 100 and 1,000 partitions of one broker',
  run: (options, report) =>
    withCluster(1, async cluster => {
      for (const count of COUNTS) {
        const topic = `spread-${count}`;
        await createTopic(cluster, topic, count, 1, RETENTION);
      }
      const rounds: LoadResult[][] = [];
      for (let round = 0; round < options.rounds; round++) {
        const results: LoadResult[] = [];
        for (const count of COUNTS) results.push(await produceTo(cluster, count, options));
        rounds.push(results);
      }
      COUNTS.forEach((count, i) => {
        const one = median(rounds.map(results => results[0]!.megabytesPerSecond));
        report({
          name: `produce 64 KiB kafka, ${count} partitions`,
          value: median(rounds.map(results => results[i]!.megabytesPerSecond)),
          unit: 'MB/s',
          ...(i > 0 && {
            reference: { what: '1 partition', value: one },
            ratio: median(rounds.map(results => results[i]!.megabytesPerSecond / results[0]!.megabytesPerSecond)),
            target: { limit: 0.8, is: 'min' as const, of: 'ratio' as const },
          }),
        });
      });
    }),
};

/** Old segments go as fast as the broker looks for them, so that a run does not fill the disk. */
const RETENTION = { 'retention.bytes': String(256 << 20), 'segment.bytes': String(64 << 20) };

async function produceTo(cluster: Cluster, count: number, options: BenchOptions): Promise<LoadResult> {
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
      ...options,
    });
  } finally {
    connection.close();
  }
}
