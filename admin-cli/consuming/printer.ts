import type { ConsumerRecord } from '../../client/index.ts';
import { OutputBuffer } from '../format/output-buffer.ts';
import type { RecordFormatter } from '../format/record-formatter.ts';

/** Writes records to the standard output, those of one poll in one piece, and counts them. */
export class Printer {
  readonly #format: RecordFormatter;
  readonly #skipErrors: boolean;
  readonly #limit: number;
  readonly #complain: (line: string) => void;
  readonly #output = new OutputBuffer();
  #count = 0;

  /** @param limit records to write at most; Infinity for all */
  constructor(format: RecordFormatter, skipErrors: boolean, limit: number, complain: (line: string) => void) {
    this.#format = format;
    this.#skipErrors = skipErrors;
    this.#limit = limit;
    this.#complain = complain;
  }

  get count(): number {
    return this.#count;
  }

  get isDone(): boolean {
    return this.#count >= this.#limit;
  }

  /** Resolves when the output has taken the records. @throws the formatter's error, after writing what came before */
  async print(records: readonly ConsumerRecord[]): Promise<void> {
    try {
      for (const record of records) {
        if (this.isDone) break;
        this.#count++;
        this.#formatOne(record);
      }
    } finally {
      const bytes = this.#output.take();
      if (bytes.length > 0) await new Promise(resolve => process.stdout.write(bytes, resolve));
    }
  }

  #formatOne(record: ConsumerRecord): void {
    const before = this.#output.length;
    try {
      this.#format(record, this.#output);
    } catch (error) {
      this.#output.truncate(before);
      if (!this.#skipErrors) throw error;
      this.#complain(`ERROR Error processing message, skipping this message: ${(error as Error).message}\n`);
    }
  }
}
