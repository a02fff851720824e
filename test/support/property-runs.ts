/**
 * How often properties are tried. A set-up file of the unit tests (vitest.config.ts): what says nothing is tried
 * `FAST_CHECK_RUNS` times if that is set, a hundred times if not. `FAST_CHECK_SEED` takes the seed of a printed failure.
 */

/** The number in an environment variable; undefined when it is not set. */
function numberIn(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === '') return undefined;
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new Error(`${variable} is "${text}", a whole number is needed`);
  return number;
}

/** For a property that is dear: tried `usual` times unless FAST_CHECK_RUNS says otherwise. */
export function runs(usual: number): { numRuns: number } {
  return { numRuns: numberIn('FAST_CHECK_RUNS') ?? usual };
}

/** For a property whose every run is a life of a cluster: CHAOS_RUNS counts. */
export function chaosRuns(usual: number): { numRuns: number } {
  return { numRuns: numberIn('CHAOS_RUNS') ?? usual };
}

const numRuns = numberIn('FAST_CHECK_RUNS');
const seed = numberIn('FAST_CHECK_SEED');
if (numRuns !== undefined || seed !== undefined) {
  const { configureGlobal } = await import('fast-check');
  configureGlobal({ ...(numRuns !== undefined && { numRuns }), ...(seed !== undefined && { seed }) });
}
