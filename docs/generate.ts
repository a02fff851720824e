/**
 * Writes the reference pages that follow from tables in the sources: `node docs/generate.ts`. With `--check` it writes
 * nothing and fails when a page is not what the tables say.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationPage } from './pages/configuration.ts';
import { metricsPage } from './pages/metrics.ts';

const pages: Readonly<Record<string, () => string>> = {
  'CONFIGURATION.md': configurationPage,
  'METRICS.md': metricsPage,
};

const check = process.argv.includes('--check');
for (const [name, render] of Object.entries(pages)) {
  const path = join(import.meta.dirname, name);
  const text = render();
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (check) {
    process.stderr.write(`docs/${name} is not what the tables say: run npm run docs.\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    process.stdout.write(`docs/${name} written.\n`);
  }
}
