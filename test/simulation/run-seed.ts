import { seededRandom } from '../support/seeded-random.ts';
import { recover, settle, violations } from './checks.ts';
import type { Cast } from './cast.ts';
import { Trouble } from './faults.ts';
import { Team } from './team.ts';
import { Tellers } from './tellers.ts';
import { Workload } from './workload.ts';
import { World, type WorldOptions } from './world.ts';

/** Milliseconds of virtual time after which a run that does not come to its end is given up. */
const LIMIT_MS = 600_000;

export interface SeedOptions extends WorldOptions {
  /** Names of the faults that happen; all of them if there are none. */
  readonly faults: readonly string[];
}

export interface SeedReport {
  readonly seed: number;
  /** Empty when all promises were kept. */
  readonly problems: readonly string[];
  /** The same for every run of the seed. */
  readonly traceHash: string;
  readonly acknowledged: number;
  readonly refused: number;
  readonly seen: number;
  /** Transactions that were said to be committed. */
  readonly committed: number;
}

/**
 * Lives through one seed: three brokers are started, written to and read from, while everything fails that may; then all
 * is healed, and what clients were told is compared with what is there.
 */
export async function runSeed(options: SeedOptions): Promise<SeedReport> {
  const world = new World(options);
  const workload = new Workload(world);
  const stray = (error: unknown) => world.bug(error);
  process.on('unhandledRejection', stray);
  const problems: string[] = [];
  let isDone = false;
  const team = new Team(world);
  const tellers = new Tellers(world);
  const story = live({ world, workload, team, tellers }, options.faults)
    .then(found => problems.push(...found))
    .catch((error: unknown) => {
      problems.push(
        (error as Error).message,
        ...workload.history.problems,
        ...team.history.problems,
        ...tellers.history.problems,
        ...world.bugs.map(String),
      );
      if (options.print) options.print(`${(error as Error).stack}\n`);
    })
    .finally(() => (isDone = true));
  try {
    await world.time.until('the story', () => isDone, LIMIT_MS);
    await story;
  } catch (error) {
    problems.push((error as Error).message);
  } finally {
    process.off('unhandledRejection', stray);
  }
  const { promises, refused, seenCount } = workload.history;
  return {
    seed: options.seed,
    problems,
    traceHash: world.traceHash,
    acknowledged: promises.length,
    refused,
    seen: seenCount,
    committed: tellers.history.count('committed'),
  };
}

async function live(cast: Cast, faults: readonly string[]): Promise<string[]> {
  const { world, workload, team, tellers } = cast;
  const chance = seededRandom(world.random.int(2 ** 31));
  for (const broker of world.brokers) broker.start();
  await isUp(world);
  await workload.createTopics();
  // The first of them make the brokers create the topics of the coordinators.
  team.start();
  tellers.start();
  await recover(world);
  workload.start();
  const trouble = new Trouble(cast, chance, faults);
  await trouble.run();
  trouble.heal();
  await Promise.all([recover(world), workload.spreadAgain()]);
  await recover(world);
  await workload.stopWriting();
  const before = workload.history.promises.length;
  await workload.writeToAll();
  await tellers.stop();
  await settle(world);
  await team.finish();
  await team.stop();
  await workload.stop();
  await settle(world);
  const problems = await violations(cast);
  if (workload.history.promises.length === before) problems.push('the healed cluster takes no records');
  return problems;
}

async function isUp({ time, brokers }: World): Promise<void> {
  const end = time.now() + 60_000;
  while (!brokers.every(({ id, rooms }) => brokers.every(other => other.rooms?.metadata.isAlive(id)) && rooms)) {
    if (time.now() > end) throw new Error('the cluster does not start');
    await time.sleep(100);
  }
}
