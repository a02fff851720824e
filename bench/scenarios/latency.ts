import { batchOfSize } from '../harness/batches.ts';
import { connectTo, DIALECTS, produce } from '../harness/dialect.ts';
import type { Scenario } from '../harness/scenario.ts';
import { percentile } from '../harness/statistics.ts';
import { addressOf, createTopic, leaderOf, withCluster } from '../harness/test-cluster.ts';

const BATCH = batchOfSize(200, 64);

const WARM_UP_MS = 2_000;

const CASES = [
  { name: 'one broker, acks=1', replicas: 1, acks: 1 as const },
  { name: 'three brokers, acks=all', replicas: 3, acks: -1 as const },
];

/** One small produce after the other: nothing to gather, nothing to wait for but the broker. */
export const latency: Scenario = {
  name: 'latency',
  what: 'p50 and p99 of single produces of 200 bytes',
  run: ({ durationMs, rounds }, report) =>
    withCluster(3, async cluster => {
      for (const { name, replicas, acks } of CASES) {
        const topic = `small-${replicas}`;
        await createTopic(cluster, topic, 1, replicas);
        const leader = await leaderOf(cluster, topic);
        for (const dialect of DIALECTS) {
          const connection = await connectTo(dialect, addressOf(leader));
          const times: number[] = [];
          const begin = performance.now();
          while (performance.now() < begin + WARM_UP_MS + durationMs * rounds) {
            const before = performance.now();
            await produce(connection, topic, 0, BATCH.bytes, acks);
            if (before > begin + WARM_UP_MS) times.push(performance.now() - before);
          }
          connection.close();
          for (const share of [0.5, 0.99]) {
            report({
              name: `single small produce ${dialect}, ${name}, p${share * 100}`,
              value: percentile(times, share),
              unit: 'ms',
            });
          }
        }
      }
    }),
};
