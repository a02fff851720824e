import type { ServerHttp2Session } from 'node:http2';
import type { Clock, Timer, Timers } from '../../shared/runtime/clock.ts';

/**
 * Closes the HTTP/2 sessions that have had no stream and no PING for a while (`connections.max.idle.ms`).
 *
 * A session's own `setTimeout` would do it too, but its timer outlives the session (seen with Node 22 to 26), and holds it
 * and its socket, 8 KiB, until the time is over: whoever connects again and again would fill the memory.
 */
export class IdleSessions {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #maxIdleMs: number;
  /** Since when each session without a stream is idle, in monotonic milliseconds; the longest idle first. */
  readonly #idleSince = new Map<ServerHttp2Session, number>();
  #next: Timer | null = null;

  /** @param maxIdleMs 0 = sessions may be idle for ever */
  constructor(clock: Clock, timers: Timers, maxIdleMs: number) {
    this.#clock = clock;
    this.#timers = timers;
    this.#maxIdleMs = maxIdleMs;
  }

  watch(session: ServerHttp2Session): void {
    if (this.#maxIdleMs === 0) return;
    let streams = 0;
    this.#rest(session);
    session.on('stream', stream => {
      streams++;
      this.#idleSince.delete(session);
      stream.once('close', () => {
        if (--streams === 0 && !session.closed) this.#rest(session);
      });
    });
    session.on('ping', () => {
      if (streams === 0) this.#rest(session);
    });
    session.once('close', () => this.#forget(session));
  }

  #rest(session: ServerHttp2Session): void {
    this.#idleSince.delete(session);
    this.#idleSince.set(session, this.#clock.monotonic());
    this.#next ??= this.#timers.after(this.#maxIdleMs, () => this.#look());
  }

  #forget(session: ServerHttp2Session): void {
    this.#idleSince.delete(session);
    if (this.#idleSince.size > 0) return;
    this.#next?.cancel();
    this.#next = null;
  }

  #look(): void {
    this.#next = null;
    for (const [session, since] of this.#idleSince) {
      const leftMs = since + this.#maxIdleMs - this.#clock.monotonic();
      if (leftMs > 0) {
        this.#next = this.#timers.after(leftMs, () => this.#look());
        return;
      }
      this.#idleSince.delete(session);
      session.close();
    }
  }
}
