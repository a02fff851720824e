import type { Clock } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';

/** Ids that this broker may give away, and nobody else. */
export interface ProducerIdBlock {
  readonly first: number;
  readonly count: number;
}

/** Where blocks come from: the active controller. */
export interface ProducerIdSource {
  /** @throws Error when there is no controller, or it refuses */
  allocate(): Promise<ProducerIdBlock>;
  close(): void;
}

/** Share of a block after which the next one is asked for. */
const PREFETCH_AT = 0.9;
/** Pause after a failure before the controller is asked again. */
const RETRY_MS = 50;

/**
 * Gives away producer ids, each once in the life of the cluster (Kafka: `RPCProducerIdManager`). What is left of a block
 * when the broker stops is lost; there are enough.
 */
export class ProducerIds {
  readonly #source: ProducerIdSource;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #current: ProducerIdBlock = { first: 0, count: 0 };
  #used = 0;
  #next: ProducerIdBlock | null = null;
  #asking: Promise<void> | null = null;
  #notBefore = -Infinity;

  constructor(source: ProducerIdSource, clock: Clock, logger: Logger) {
    this.#source = source;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * A new producer id. Unlike Kafka, where whoever finds no block ready has to come again, it waits for the answer of
   * the controller that is being asked; null when that fails, or has failed just now: the client may try again.
   */
  async generate(): Promise<number | null> {
    const id = this.#take();
    if (id !== null) return id;
    await this.#ask();
    return this.#take();
  }

  /** The broker stops: asks nobody any more. */
  close(): void {
    this.#source.close();
  }

  #take(): number | null {
    if (this.#used === this.#current.count) {
      if (this.#next === null) return null;
      this.#current = this.#next;
      this.#next = null;
      this.#used = 0;
    }
    const id = this.#current.first + this.#used++;
    if (this.#used >= this.#current.count * PREFETCH_AT) void this.#ask();
    return id;
  }

  /** Sees to it that there is a next block, or is being asked for; resolves, whatever comes of it. */
  #ask(): Promise<void> {
    if (this.#next !== null || this.#clock.monotonic() < this.#notBefore) return Promise.resolve();
    this.#asking ??= this.#fetch().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #fetch(): Promise<void> {
    try {
      this.#next = await this.#source.allocate();
    } catch (error) {
      this.#notBefore = this.#clock.monotonic() + RETRY_MS;
      this.#logger.warn({ err: error }, 'got no producer ids from the controller');
    }
  }
}
