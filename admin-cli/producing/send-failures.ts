import type { SendCallback } from '../../client/index.ts';

/**
 * Tells of records that could not be sent: the first of each kind at once, how many more there were at the end. A batch
 * that fails would otherwise say the same a thousand times.
 */
export class SendFailures {
  readonly #topic: string;
  readonly #write: (line: string) => void;
  readonly #counts = new Map<string, number>();

  constructor(topic: string, write: (line: string) => void) {
    this.#topic = topic;
    this.#write = write;
  }

  /** To be given to every send. */
  readonly callback: SendCallback = error => {
    if (error === null) return;
    const count = this.#counts.get(error.message) ?? 0;
    this.#counts.set(error.message, count + 1);
    if (count === 0) this.#write(`ERROR Error when sending message to topic ${this.#topic}: ${error.message}\n`);
  };

  summarise(): void {
    for (const [message, count] of this.#counts) {
      if (count > 1) this.#write(`ERROR ${count} messages to topic ${this.#topic} could not be sent: ${message}\n`);
    }
  }
}
