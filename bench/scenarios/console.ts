import { closeSync, openSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Scenario } from '../harness/scenario.ts';
import { median } from '../harness/statistics.ts';
import { createTopic, withCluster } from '../harness/test-cluster.ts';

const ROUNDS = 3;
const LINES = 500_000;
const ROOT = join(import.meta.dirname, '../..');

/** A file of lines of about 100 bytes through the tool, its start included. */
export const consoleProducer: Scenario = {
  name: 'console',
  what: `${LINES.toLocaleString('en')} lines through kafka-console-producer, its start included`,
  run: (_, report) =>
    withCluster(1, async cluster => {
      const file = join(cluster.directory, 'lines.txt');
      writeFileSync(file, Array.from({ length: LINES }, (_, i) => `${i} ${'.'.repeat(93)}\n`).join(''));
      await createTopic(cluster, 'lines', 3, 1);
      const args = ['--bootstrap-server', cluster.bootstrap, '--topic', 'lines'];
      const rates: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const before = performance.now();
        await runWithInput('kafka-console-producer', args, file);
        rates.push(LINES / ((performance.now() - before) / 1000));
      }
      report({ name: 'console producer', value: median(rates), unit: 'lines/s' });
    }),
};

async function runWithInput(tool: string, args: readonly string[], file: string): Promise<void> {
  const input = openSync(file, 'r');
  const child = spawn(join(ROOT, 'bin', tool), args, { stdio: [input, 'ignore', 'inherit'] });
  closeSync(input);
  const code = await new Promise(resolve => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${tool} ended with ${String(code)}`);
}
