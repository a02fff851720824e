/**
 * Throws grammar-based inputs at one real broker: requests that are almost right, in every dialect of its ports.
 *
 *     npm run test:fuzz -- --inputs 20000
 *     npm run test:fuzz -- --dialect tls --seed 4711
 *
 * Exit status 1 when the broker died, complained, grew or left a neighbour without an answer; the command that shows it
 * again is printed.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { DIALECTS, MIX, type DialectName } from './conversations.ts';
import { runFuzz } from './run.ts';

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new InvalidArgumentError('a whole number is needed.');
  return number;
}

const options = new Command('test:fuzz')
  .option('--inputs <count>', 'how many inputs', wholeNumber, 1_000_000)
  .option('--seed <seed>', 'from which all choices follow; default: another one each time', wholeNumber)
  .addOption(new Option('--dialect <name>', 'only this one; default: a mix of all').choices(DIALECTS))
  .option('--first <number>', 'the conversation to begin with', wholeNumber, 0)
  .parse()
  .opts<{ inputs: number; seed?: number; dialect?: DialectName; first: number }>();

const { inputs, first, dialect } = options;
const seed = options.seed ?? Date.now() % 0x7fffffff;
console.log(`seed ${seed}: ${inputs} inputs`);
const report = await runFuzz({
  inputs,
  seed,
  first,
  dialects: dialect === undefined ? MIX : [dialect],
  print: line => console.log(line),
});
console.log(`the broker grew by ${report.rssGrowthBytes >> 20} MiB after the warm-up`);
for (const problem of report.problems) console.log(problem);
process.exitCode = report.problems.length === 0 ? 0 : 1;
