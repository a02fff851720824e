import { KafkaConnector } from '../../shared/connection/kafka.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import { Metadata } from '../../shared/protocol/messages/metadata.ts';
import { systemTimers } from '../../shared/runtime/clock.ts';

/** Asks again and again while others make noise; every request must be answered, by controller 7. */
export class Neighbour {
  readonly #connection: Connection;
  #running = true;
  answered = 0;
  /** The longest that an answer took, in milliseconds. */
  slowestMs = 0;
  /** Why it gave up; null while it is answered. */
  problem: string | null = null;
  readonly #loop: Promise<void>;

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.#loop = this.#ask().catch((error: unknown) => {
      this.problem = error instanceof Error ? error.message : String(error);
    });
  }

  static async at(port: number): Promise<Neighbour> {
    const connector = new KafkaConnector({
      clientId: 'neighbour',
      requestTimeoutMs: 10_000,
      connectTimeoutMs: 5000,
      negotiate: false,
      timers: systemTimers,
    });
    return new Neighbour(await connector.connect({ host: '127.0.0.1', port }));
  }

  async #ask(): Promise<void> {
    while (this.#running) {
      const asked = performance.now();
      const answer = await this.#connection.call(Metadata, { topics: [] }, { version: 1 });
      if (answer!.controllerId !== 7) throw new Error(`the controller is said to be ${answer!.controllerId}`);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - asked);
      this.answered++;
      await new Promise(resolve => setTimeout(resolve, 2));
    }
  }

  /** Ends the asking. @throws Error when a request was not answered */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#loop;
    this.#connection.close();
    if (this.problem !== null) throw new Error(`a neighbour was not answered: ${this.problem}`);
  }
}
