/**
 * Runs the simulation for many seeds, on all processors, or for one.
 *
 *     npm run test:sim -- --seeds 10000            # seeds 1 to 10000
 *     npm run test:sim -- --seed 4711 --verbose    # one, with everything that happens
 *
 * Exit status 1 when a promise was broken; the seed is printed, and breaks it again whenever it is run.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { FAULT_NAMES } from './faults.ts';
import { plant, PLANTED_BUGS } from './planted-bugs.ts';
import type { SeedReport } from './run-seed.ts';

interface Options {
  readonly seeds: number;
  readonly first: number;
  readonly seed?: number;
  readonly bug?: string;
  readonly faults: readonly string[];
  readonly jobs: number;
  readonly verbose?: boolean;
  readonly untilFound?: boolean;
  readonly worker?: boolean;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new InvalidArgumentError('a whole number is needed.');
  return number;
}

function faultNames(text: string): string[] {
  const names = text.split(',');
  const unknown = names.find(name => !FAULT_NAMES.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`there is no fault "${unknown}".`);
  return names;
}

const options = new Command('test:sim')
  .option('--seeds <count>', 'how many seeds', wholeNumber, 200)
  .option('--first <seed>', 'the first of them', wholeNumber, 1)
  .option('--seed <seed>', 'only this one', wholeNumber)
  .option('--bug <name>', `plant a bug first: ${Object.keys(PLANTED_BUGS).join(', ')}`)
  .option('--faults <name,…>', `only these faults, of: ${FAULT_NAMES.join(', ')}`, faultNames, [])
  .option('--until-found', 'end with the first seed that breaks a promise')
  .option('--jobs <count>', 'processes', wholeNumber, availableParallelism())
  .option('--verbose', 'print all that happens in --seed')
  .option('--worker', 'take seeds from the parent process')
  .parse()
  .opts<Options>();

if (options.bug !== undefined) plant(options.bug);

if (options.worker === true) await serve();
else if (options.seed !== undefined) await runOne(options.seed);
else await runAll();

/** Runs the seeds that the parent sends, one at a time. */
async function serve(): Promise<void> {
  const { runSeed } = await import('./run-seed.ts');
  process.on('message', (seed: number) => {
    void runSeed({ seed, faults: options.faults }).then(report => process.send!(report));
  });
  process.once('disconnect', () => process.exit());
}

async function runOne(seed: number): Promise<void> {
  const { runSeed } = await import('./run-seed.ts');
  const print = options.verbose === true ? { print: (line: string) => void process.stdout.write(line) } : {};
  const report = await runSeed({ seed, faults: options.faults, ...print });
  const { acknowledged, refused, seen, committed, traceHash } = report;
  console.log(
    `seed ${seed}: ${acknowledged} acknowledged, ${refused} refused, ${seen} read, ${committed} transactions, trace ${traceHash}`,
  );
  tell(report);
}

function tell({ seed, problems }: SeedReport): void {
  if (problems.length === 0) return;
  process.exitCode = 1;
  const replay = ['npm run test:sim -- --seed', seed, ...conditions().map(quoted)].join(' ');
  console.log(`seed ${seed} breaks a promise (again: ${replay}):`);
  for (const problem of problems.slice(0, 5)) console.log(`  ${problem}`);
  if (problems.length > 5) console.log(`  and ${problems.length - 5} more`);
}

async function runAll(): Promise<void> {
  let end = options.first + options.seeds;
  let next = options.first;
  let done = 0;
  let acknowledged = 0;
  let committed = 0;
  let failed = 0;
  const work = async () => {
    const worker = startWorker();
    while (next < end) {
      const report = await ask(worker, next++);
      done++;
      acknowledged += report.acknowledged;
      committed += report.committed;
      if (report.problems.length > 0) failed++;
      if (failed > 0 && options.untilFound === true) end = next;
      tell(report);
      if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${options.seeds} seeds, ${failed} failed`);
    }
    worker.disconnect();
  };
  await Promise.all(Array.from({ length: Math.max(1, options.jobs) }, work));
  if (process.stderr.isTTY) process.stderr.write('\n');
  console.log(
    `${done} seeds, ${failed} failed; ${acknowledged} records were acknowledged, ${committed} transactions committed`,
  );
}

function startWorker(): ChildProcess {
  return fork(import.meta.filename, ['--worker', ...conditions()]);
}

/** The options that decide what a seed means. */
function conditions(): string[] {
  const bug = options.bug === undefined ? [] : ['--bug', options.bug];
  const faults = options.faults.length === 0 ? [] : ['--faults', options.faults.join(',')];
  return [...bug, ...faults];
}

function quoted(argument: string): string {
  return argument.includes(' ') ? `'${argument}'` : argument;
}

function ask(worker: ChildProcess, seed: number): Promise<SeedReport> {
  worker.send(seed);
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`the process that ran seed ${seed} died`));
    worker.once('exit', onExit);
    worker.once('message', report => {
      worker.off('exit', onExit);
      resolve(report as SeedReport);
    });
  });
}
