import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { apacheTool } from './apache-java.ts';

export interface FixedRateTurn {
  readonly bootstrap: string;
  readonly topic: string;
  readonly acks: 'all' | '1';
  readonly recordBytes: number;
  readonly recordsPerSecond: number;
  readonly records: number;
  /** How many of the first records do not count. */
  readonly discarded: number;
}

/** Milliseconds from `send()` to the acknowledgement, and to the consumer that waits for the record. */
export interface Latencies {
  readonly records: number;
  readonly ackP50: number;
  readonly ackP99: number;
  readonly readP50: number;
  readonly readP99: number;
}

/** The JVM that runs FixedRate.java: the Java client with default settings, warm after the first turns. */
export class FixedRate {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    const java = apacheTool(join(import.meta.dirname, 'FixedRate.java'));
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'java', ...java], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async turn(turn: FixedRateTurn): Promise<Latencies> {
    const { bootstrap, topic, acks, recordBytes, recordsPerSecond, records, discarded } = turn;
    this.#child.stdin.write(
      `${[bootstrap, topic, acks, recordBytes, recordsPerSecond, records, discarded].join(' ')}\n`,
    );
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('FixedRate.java ended before its answer');
    const [ackP50, ackP99, readP50, readP99] = value.split(' ').map(micros => Number(micros) / 1000);
    return { records, ackP50: ackP50!, ackP99: ackP99!, readP50: readP50!, readP99: readP99! };
  }

  stop(): void {
    this.#child.stdin.end();
    this.#child.kill();
  }
}
