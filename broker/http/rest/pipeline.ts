/** Items of one stream that may wait for their outcome; beyond it no more are taken. */
const MAX_PENDING = 1_000;

/**
 * Starts something for each item as it arrives, and yields the outcomes in order, as soon as each is known. Taking and
 * yielding run side by side: whoever sends the items may wait for an outcome before the next one.
 *
 *   items ──start──► pending (at most 1,000) ──► outcomes
 *
 * @param start what it returns may reject; the rejection is thrown where its outcome would have been
 * @param room resolves when there is memory for another item
 * @throws what the items end with, after the outcomes of all that came before
 */
export async function* pipeline<T, R>(
  items: AsyncIterable<T>,
  start: (item: T) => Promise<R>,
  room: () => Promise<void>,
): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  const state: { ended: boolean; failure: { error: unknown } | null; left: boolean } = {
    ended: false,
    failure: null,
    left: false,
  };
  const arrived = new Signal();
  const taken = new Signal();
  const taking = async () => {
    for await (const item of items) {
      const outcome = start(item);
      // When an earlier one is thrown, nobody looks at this one any more.
      outcome.catch(() => {});
      pending.push(outcome);
      arrived.raise();
      while (pending.length >= MAX_PENDING && !state.left) await taken.next();
      if (state.left) return;
      await room();
    }
  };
  void taking()
    .catch((error: unknown) => (state.failure = { error }))
    .finally(() => {
      state.ended = true;
      arrived.raise();
    });
  try {
    for (;;) {
      const next = pending[0];
      if (next !== undefined) {
        const outcome = await next;
        void pending.shift();
        taken.raise();
        yield outcome;
      } else if (state.ended) break;
      else await arrived.next();
    }
  } finally {
    state.left = true;
    taken.raise();
  }
  if (state.failure !== null) throw state.failure.error;
}

/** Lets one side wait for the other; a raise that nobody waits for is remembered. */
class Signal {
  #raised = false;
  #wake: (() => void) | null = null;

  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  async next(): Promise<void> {
    if (!this.#raised) await new Promise<void>(resolve => (this.#wake = resolve));
    this.#raised = false;
    this.#wake = null;
  }
}
