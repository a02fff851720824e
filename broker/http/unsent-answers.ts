/**
 * Bounds what a connection's peer can make the broker hold by not reading: while more than `limit` bytes of answers are
 * unsent, further requests of the connection wait.
 */
export class UnsentAnswers {
  readonly #limit: number;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether a further request may be started. */
  get hasRoom(): boolean {
    return this.#bytes <= this.#limit;
  }

  /** Resolves when a further request may be started. */
  async room(): Promise<void> {
    while (!this.hasRoom) await new Promise<void>(resolve => this.#waiting.push(resolve));
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** The bytes are sent, or never will be. */
  remove(bytes: number): void {
    this.#bytes -= bytes;
    if (!this.hasRoom) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
