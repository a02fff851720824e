import { cpuSeconds, residentMiB } from '../harness/process-usage.ts';
import { sleep } from '../harness/load.ts';
import type { Scenario } from '../harness/scenario.ts';
import { median } from '../harness/statistics.ts';
import { withCluster } from '../harness/test-cluster.ts';

const ROUNDS = 3;
const SETTLE_MS = 2_000;

/** From the launcher to the line "started", ZooKeeper being up; and what the broker then needs to do nothing. */
export const startUp: Scenario = {
  name: 'start-up',
  what: 'time from the launcher to "started", and resident memory when idle',
  run: (_, report) =>
    withCluster(1, async cluster => {
      const broker = cluster.brokers[0]!;
      const times: number[] = [];
      const cpu: number[] = [];
      const idle: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        await broker.stop();
        const before = performance.now();
        await broker.start();
        times.push((performance.now() - before) / 1000);
        cpu.push(cpuSeconds(broker.pid));
        await sleep(SETTLE_MS);
        idle.push(residentMiB(broker.pid).now);
      }
      report({
        name: 'start-up',
        value: median(times),
        unit: 's',
        target: { limit: 1, is: 'max', of: 'value' },
      });
      // On a busy machine the time is mostly others'; this is not.
      report({ name: 'start-up, CPU', value: median(cpu), unit: 's' });
      report({
        name: 'memory, idle',
        value: median(idle),
        unit: 'MiB',
        target: { limit: 256, is: 'max', of: 'value' },
      });
    }),
};
