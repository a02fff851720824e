const FLUSH_CHARACTERS = 1 << 16;

/** Lines, many in one write, no faster than whoever reads takes them. */
export class LineOutput {
  readonly #write: (text: string) => Promise<void>;
  #pending = '';

  /** @param write resolves when the text was taken; default: the standard output */
  constructor(write: (text: string) => Promise<void> = writeToStdout) {
    this.#write = write;
  }

  /** Adds a line; a full buffer is written by the next `settle`. */
  line(text: string): void {
    this.#pending += `${text}\n`;
  }

  /** Writes if enough has gathered: to be awaited from time to time. */
  async settle(): Promise<void> {
    if (this.#pending.length >= FLUSH_CHARACTERS) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = '';
    if (text !== '') await this.#write(text);
  }
}

function writeToStdout(text: string): Promise<void> {
  return new Promise(resolve => process.stdout.write(text, () => resolve()));
}
