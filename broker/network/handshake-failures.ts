import type { Clock } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { tlsProblem } from '../../shared/tls/problems.ts';

/** For how long the same cause is counted rather than told again. */
const QUIET_MS = 60_000;
/** Causes are few, by nature; what would be more is not remembered. */
const MAX_CAUSES = 64;

interface Cause {
  toldAt: number;
  untold: number;
}

/**
 * Tells of handshakes that failed, each cause once a minute with the count of those in between: one client that tries
 * again and again fills no log. Connections that just end, as those of port checks do, are told at debug level.
 */
export class HandshakeFailures {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #causes = new Map<string, Cause>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** @param client its address, as far as it is known */
  report(listener: string, client: string, error: Error): void {
    const problem = tlsProblem(error);
    if (problem === null) {
      this.#logger.debug({ listener, client, err: error }, 'a connection ended during its TLS handshake');
      return;
    }
    const cause = this.#cause(`${listener} ${problem}`);
    const now = this.#clock.monotonic();
    if (now - cause.toldAt < QUIET_MS) {
      cause.untold++;
      return;
    }
    const before = cause.untold === 0 ? '' : ` (and ${cause.untold} more times since this was last told)`;
    this.#logger.warn({ listener, client }, `TLS handshake with ${client} failed: ${problem}${before}`);
    cause.toldAt = now;
    cause.untold = 0;
  }

  #cause(key: string): Cause {
    let cause = this.#causes.get(key);
    if (cause === undefined) {
      cause = { toldAt: -Infinity, untold: 0 };
      if (this.#causes.size < MAX_CAUSES) this.#causes.set(key, cause);
    }
    return cause;
  }
}
