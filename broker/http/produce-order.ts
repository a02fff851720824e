/** A request's place among the produces of its connection. */
export interface ProduceTurn {
  /** Resolves when all earlier ones have been appended or given up. */
  readonly comes: Promise<void>;
  /** Lets the next one go. Calling it twice does nothing. */
  end(): void;
}

/**
 * Streams of an HTTP/2 session are independent, yet a producer's batches have an order. Turns are taken when a request's
 * head arrives, which happens in the order of stream ids, so batches are appended in that order whichever body is
 * complete first.
 */
export class ProduceOrder {
  #last: Promise<void> = Promise.resolve();

  take(): ProduceTurn {
    const before = this.#last;
    const { promise: ended, resolve: end } = withResolvers();
    // One that gives up before its turn must not let later ones overtake those before it.
    this.#last = before.then(() => ended);
    return { comes: before, end };
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>(done => (resolve = done));
  return { promise, resolve };
}
