/**
 * Writes the reference pages that follow from tables in the sources: `node docs/generate.ts`. With `--check` it writes
 * nothing and fails when a page is not what the tables say.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compatibilityPage } from './pages/compatibility.ts';
import { configurationPage } from './pages/configuration.ts';
import { httpPage } from './pages/http.ts';
import { metricsPage } from './pages/metrics.ts';

/** What each page is to be, from what it is. */
const pages: Readonly<Record<string, (page: string) => string>> = {
  'COMPATIBILITY.md': compatibilityPage,
  'CONFIGURATION.md': configurationPage,
  'HTTP.md': httpPage,
  'METRICS.md': metricsPage,
};

const check = process.argv.includes('--check');
for (const [name, render] of Object.entries(pages)) {
  const path = join(import.meta.dirname, name);
  const present = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const text = render(present);
  if (present === text) continue;
  if (check) {
    process.stderr.write(`docs/${name} is not what the tables say: run npm run docs.\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    process.stdout.write(`docs/${name} written.\n`);
  }
}
