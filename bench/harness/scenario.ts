import type { Row } from './row.ts';

export interface BenchOptions {
  /** How often each measurement is repeated, in turns with what it is compared with. */
  readonly rounds: number;
  /** Milliseconds of load that count. */
  readonly durationMs: number;
  readonly warmUpMs: number;
}

/** A measurement that can be asked for by name. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  run(options: BenchOptions, report: (row: Row) => void): Promise<void>;
}
