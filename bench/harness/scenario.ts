import type { Row } from './row.ts';

export interface BenchOptions {
  /** Turns that each load gets, in turns with what it is compared with. */
  readonly rounds: number;
  /** Milliseconds of a turn that count. */
  readonly durationMs: number;
}

/** A measurement that can be asked for by name. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  run(options: BenchOptions, report: (row: Row) => void): Promise<void>;
}
