import type { Completion, DelayedOperation } from '../delayed/delayed-operations.ts';
import { isWorthAnswering, type FetchParams, type FetchReader, type Looks } from './fetch.ts';
import type { FetchedPartition, FetchView } from './fetch-target.ts';

/**
 * A fetch that waits for enough bytes, or for a reason to be answered at once: an error, a divergence (Kafka:
 * `DelayedFetch`). Tried again when one of its partitions changes.
 */
export class DelayedFetch implements DelayedOperation {
  readonly #reader: FetchReader;
  readonly #params: FetchParams;
  readonly #view: FetchView;
  readonly #answer: (fetched: Promise<FetchedPartition[]>) => void;
  #looks: Looks;

  /** @param looks what the first look said, which told the leader of the follower's offsets */
  constructor(
    reader: FetchReader,
    params: FetchParams,
    view: FetchView,
    looks: Looks,
    answer: (fetched: Promise<FetchedPartition[]>) => void,
  ) {
    this.#reader = reader;
    this.#params = params;
    this.#view = view;
    this.#looks = looks;
    this.#answer = answer;
  }

  isReady(key?: string): boolean {
    if (key !== undefined) this.#looks = this.#reader.look(this.#params, this.#view, false);
    return isWorthAnswering(this.#params, this.#looks);
  }

  complete(how: Completion): void {
    switch (how) {
      case 'cancelled':
        { this.#answer(Promise.resolve([])); return; }
      case 'expired':
        this.#looks = this.#reader.look(this.#params, this.#view, false);
        break;
      case 'ready':
        break;
    }
    this.#answer(this.#reader.read(this.#params, this.#looks));
  }
}
