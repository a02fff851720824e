import type { Completion, DelayedOperation, WaitingOperation } from '../delayed/delayed-operations.ts';
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
  #forgetSignal: (() => void) | null = null;

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

  /** Lets the signal end the wait; nothing of that stays behind with a signal that lives on. */
  cancelOn(signal: AbortSignal, waiting: WaitingOperation): void {
    const cancel = () => {
      waiting.cancel();
    };
    signal.addEventListener('abort', cancel, { once: true });
    this.#forgetSignal = () => {
      signal.removeEventListener('abort', cancel);
    };
    if (signal.aborted) cancel();
  }

  complete(how: Completion): void {
    this.#forgetSignal?.();
    switch (how) {
      case 'cancelled':
        this.#looks = [];
        break;
      case 'expired':
        this.#looks = this.#reader.look(this.#params, this.#view, false);
        break;
      case 'ready':
        break;
    }
    this.#answer(this.#reader.read(this.#params, this.#looks));
  }
}
