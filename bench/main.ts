import { parseArgs } from 'node:util';
import { beginRun, saveRun, table } from './harness/report.ts';
import type { Row } from './harness/row.ts';
import type { Scenario } from './harness/scenario.ts';
import { consoleProducer } from './scenarios/console.ts';
import { failover } from './scenarios/failover.ts';
import { groups } from './scenarios/groups.ts';
import { latency } from './scenarios/latency.ts';
import { partitions } from './scenarios/partitions.ts';
import { replicated } from './scenarios/replicated.ts';
import { startUp } from './scenarios/start-up.ts';
import { throughput } from './scenarios/throughput.ts';
import { transactions } from './scenarios/transactions.ts';

/** npm run bench [-- [--rounds N] [--seconds S] name…]: measures, prints a table and writes bench/results/<date>.json. */

const SCENARIOS: readonly Scenario[] = [
  ...throughput,
  replicated,
  partitions,
  latency,
  consoleProducer,
  startUp,
  failover,
  groups,
  transactions,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '0.7' },
    list: { type: 'boolean', default: false },
  },
});

if (values.list) {
  for (const { name, what } of SCENARIOS) console.log(`${name.padEnd(12)} ${what}`);
  process.exit(0);
}
const unknown = positionals.filter(name => !SCENARIOS.some(scenario => scenario.name === name));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; --list shows what there is.`);
  process.exit(1);
}
const wanted = SCENARIOS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const options = { rounds: Number(values.rounds), durationMs: Number(values.seconds) * 1000 };
const run = beginRun(['npm run bench --', ...process.argv.slice(2)].join(' '));
const rows: Row[] = [];
for (const scenario of wanted) {
  console.error(`${scenario.name}: ${scenario.what}`);
  await scenario.run(options, row => {
    rows.push(row);
    console.error(table([row]).split('\n')[2]);
  });
}
console.log(table(rows));
console.error(`written: ${saveRun({ ...run, rows })}`);
