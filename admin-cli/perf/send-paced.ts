import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Producer } from '../../client/index.ts';
import { burst } from './pace.ts';

export interface Load {
  /** Records in all; -1: until it is stopped. */
  readonly count: number;
  /** Records a second; 0 or less: as fast as the brokers take them. */
  readonly rate: number;
  /** Sends record number `n`, in a burst that began at `nowMs`. */
  readonly send: (n: number, nowMs: number) => void;
  /** Told of the end of each burst; the next one waits for it. */
  readonly afterBurst?: (nowMs: number) => Promise<void> | undefined;
  readonly signal?: AbortSignal;
}

/** Sends records in bursts, at a rate, no faster than the producer takes them. */
export async function sendPaced(producer: Producer, { count, rate, send, afterBurst, signal }: Load): Promise<void> {
  const startMs = performance.now();
  let sent = 0;
  while ((count < 0 || sent < count) && signal?.aborted !== true) {
    const nowMs = performance.now();
    const due = burst(rate, sent, nowMs - startMs);
    const end = count < 0 ? sent + due : Math.min(count, sent + due);
    for (; sent < end; sent++) send(sent, nowMs);
    await afterBurst?.(nowMs);
    if (producer.needsDrain) await producer.drained();
    else if (due === 0) await setTimeout(1);
    else await setImmediate();
  }
}
