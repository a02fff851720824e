import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENTS, type ClientRow } from './clients.ts';
import { FEATURE_IDS, type FeatureId } from './features.ts';

const FILE = join(import.meta.dirname, 'results.json');

/** What a run of the matrix has found out about a client. */
export interface ClientResult {
  readonly version: string;
  readonly features: Readonly<Partial<Record<FeatureId, 'works' | 'fails'>>>;
}

/** By the client's name. */
export type Results = Readonly<Record<string, ClientResult>>;

export function writeResults(results: Results): void {
  writeFileSync(FILE, `${JSON.stringify(results, null, 2)}\n`);
}

/** @throws Error where the tables have changed since the run that wrote the results */
export function readResults(): Results {
  const results = JSON.parse(readFileSync(FILE, 'utf8')) as Results;
  for (const row of CLIENTS) {
    const examined = Object.keys(results[row.name]?.features ?? {}).sort();
    if (examined.join() !== offered(row).sort().join())
      throw new Error(
        `The features of ${row.name} have changed since they were examined: run npm run docs:compatibility.`,
      );
  }
  return results;
}

/** What is to be examined with a client. */
export function offered(row: ClientRow): FeatureId[] {
  return FEATURE_IDS.filter(id => row.lacks[id] === undefined);
}
