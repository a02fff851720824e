import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { absenceOf } from '../test/support/apache-kafka.ts';
import { beginRun } from './harness/report.ts';
import { residentMiB } from './harness/process-usage.ts';
import { inPairs } from './versus/in-pairs.ts';
import { LOADS, warmUp } from './versus/loads.ts';
import { heading, writeReadme } from './versus/readme.ts';
import { startUps } from './versus/start-up.ts';
import { peakMemory, residentAfterLoads, tables, type BrokerResult, type LoadResult } from './versus/tables.ts';
import type { Side } from './versus/side.ts';
import { withSides } from './versus/with-sides.ts';

/** npm run bench:versus: Samsa and Apache Kafka 3.9 in turns, under the same clients. See bench/README.md. */

const { values } = parseArgs({
  options: {
    pairs: { type: 'string' },
    rows: { type: 'string' },
    brokers: { type: 'string' },
    volume: { type: 'string' },
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    json: { type: 'string' },
    readme: { type: 'boolean', default: false },
  },
});
const pairs = Number(values.pairs ?? (values.quick ? 3 : 5));
const volume = Number(values.volume ?? (values.quick ? 0.5 : 1));
const isAsked = (name: string) => values.rows === undefined || values.rows.split(';').some(part => name.includes(part));
const loads = LOADS.filter(({ name, isQuick }) => isAsked(name) && (isQuick || !values.quick));
const sizes = ([1, 3] as const).filter(brokers => values.brokers === undefined || Number(values.brokers) === brokers);

if (values.list) {
  for (const { name, client, isQuick } of LOADS) console.log(`${name}  (${client}${isQuick ? '; quick' : ''})`);
  console.log('start-up');
  process.exit(0);
}
const absence = absenceOf('3.9');
if (absence !== null) {
  console.error(`Apache Kafka 3.9 is not here, its registry was out of reach: ${absence}`);
  process.exit(1);
}

const begun = performance.now();
const progress = (text: string) =>
  console.error(`${((performance.now() - begun) / 1000).toFixed(0).padStart(5)} s  ${text}`);
const asTyped = process.argv.slice(2).map(word => (/[ ;]/.test(word) ? `"${word}"` : word));
const run = beginRun(['npm run bench:versus --', ...asTyped].join(' '));
const results: LoadResult[] = [];
const brokerResults: BrokerResult[] = [];

function report(load: readonly LoadResult[], broker: readonly BrokerResult[]): void {
  results.push(...load);
  brokerResults.push(...broker);
  progress(tables(load, broker).split('\n').slice(2).join('\n         '));
}

for (const brokers of sizes) {
  const ofSize = loads.filter(load => load.brokers === brokers);
  const startsCount = brokers === 1 && isAsked('start-up');
  if (ofSize.length === 0 && !startsCount) continue;
  await withSides(brokers, volume, async (sides, workshop) => {
    if (startsCount) report([], await startUps(sides, pairs));
    if (ofSize.length === 0) return;
    progress(`warming up ${brokers} broker${brokers === 1 ? '' : 's'} of each`);
    for (const side of sides) await warmUp(side, workshop);
    const own: LoadResult[] = [];
    for (const load of ofSize) {
      const { name, client, kind } = load;
      const result = { load: { name, client, brokers, kind }, pairs: await inPairs(load, sides, pairs, workshop) };
      own.push(result);
      report([result], []);
    }
    const peak = (side: Side) => Math.max(...side.pids.map(pid => residentMiB(pid).peak));
    report(
      [],
      [residentAfterLoads(brokers, own), peakMemory(brokers, { Samsa: peak(sides[0]), Kafka: peak(sides[1]) })],
    );
  });
}

const text = `${heading(run)}\n\n${tables(results, brokerResults)}`;
console.log(text);
if (values.readme) writeReadme(text);
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ ...run, loads: results, brokers: brokerResults }, null, 2)}\n`);
}
