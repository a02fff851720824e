const REDRAW_MS = 100;
/** Back to the line's beginning, and the line emptied. */
const CLEAR_LINE = '\r\x1b[2K';

/** Shows in one line of a terminal how far long work has come. */
export class Progress {
  readonly #write: (text: string) => void;
  readonly #unit: string;
  readonly #total: number | null;
  readonly #startedAt = performance.now();
  #drawnAt = -Infinity;
  #isShown = false;

  /**
   * @param unit what is counted: `lines`, `bytes`
   * @param total how much there is in all; null when nobody knows
   */
  constructor(unit: string, total: number | null, write: (text: string) => void) {
    this.#unit = unit;
    this.#total = total;
    this.#write = write;
  }

  update(done: number): void {
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#isShown = true;
    this.#write(`${CLEAR_LINE}${this.#text(done, now - this.#startedAt)}`);
  }

  #text(done: number, elapsedMs: number): string {
    const count = (value: number) => Math.round(value).toLocaleString('en-US');
    const rate = `${count((done * 1000) / Math.max(elapsedMs, 1))} ${this.#unit}/s`;
    if (this.#total === null || this.#total === 0) return `${count(done)} ${this.#unit}, ${rate}`;
    return `${Math.floor((done * 100) / this.#total)} % of ${count(this.#total)} ${this.#unit}, ${rate}`;
  }

  /** Takes the line away: the work is done, or something else is to be written. */
  clear(): void {
    if (this.#isShown) this.#write(CLEAR_LINE);
    this.#isShown = false;
  }
}

/** Progress on stderr; null when that is no terminal. */
export function progressOnStderr(unit: string, total: number | null): Progress | null {
  return process.stderr.isTTY ? new Progress(unit, total, text => process.stderr.write(text)) : null;
}
