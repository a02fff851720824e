import { defineConfig } from 'vitest/config';
import FailedLast from './test/support/failed-last.ts';
import LongFirst from './test/support/long-first.ts';

/** Test files at a time. */
const AT_A_TIME = 2;
/** Of those that start processes, and wait for these half of the time; the simulation beside them gives way. */
const WAITING_AT_A_TIME = 3;

/**
 * One project a kind of test: unit tests touch no process and no network; the others start real ones. Time limits only
 * bound a run that hangs; nothing is tried twice, so that a test that fails now and then is looked into.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    reporters: ['default', new FailedLast()],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          setupFiles: ['test/support/property-runs.ts'],
          testTimeout: process.env.FAST_CHECK_RUNS || process.env.CHAOS_RUNS ? 0 : 180_000,
          pool: 'forks',
          maxWorkers: AT_A_TIME,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/system/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          pool: 'forks',
          maxWorkers: WAITING_AT_A_TIME,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 2_700_000,
          pool: 'forks',
          maxWorkers: WAITING_AT_A_TIME,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          pool: 'forks',
          maxWorkers: WAITING_AT_A_TIME,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
