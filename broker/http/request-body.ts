import type { Readable } from 'node:stream';
import type { Clock } from '../../shared/runtime/clock.ts';
import { HttpError } from './http-error.ts';
import type { Filling, Lease, RequestMemory } from './ports.ts';
import type { RpcExchange } from './rpc-exchange.ts';

/** What a body without content-length may have: memory is set aside before it is read. */
const UNANNOUNCED_MAX_BYTES = 1 << 20;

/**
 * How much memory the body needs.
 * @param contentLength the header's value
 * @throws HttpError 413 when it is more than a request may have
 */
export function bodyLength(contentLength: string | undefined, maxBytes: number): number {
  if (contentLength === undefined) return Math.min(UNANNOUNCED_MAX_BYTES, maxBytes);
  const length = Number(contentLength);
  if (!(length <= maxBytes)) {
    throw new HttpError(413, `The body has ${contentLength} bytes; socket.request.max.bytes allows ${maxBytes}.`);
  }
  return length;
}

/**
 * Waits for the body's memory. Leaves the line when the exchange is over.
 * @throws the reason for its end
 */
export function bodyMemory(
  memory: RequestMemory,
  length: number,
  isProduce: boolean,
  exchange: RpcExchange,
): Promise<Lease> {
  return new Promise((resolve, reject) => {
    const giveUp = memory.lease(length, isProduce, lease => {
      exchange.whenGone(null);
      resolve(lease);
    });
    exchange.whenGone(reason => {
      giveUp();
      reject(reason);
    });
  });
}

/** A body that is on its way, for those who wait for its memory. */
export class BodyFilling implements Filling {
  readonly bytes: number;
  readonly isProduce: boolean;
  readonly since: number;
  lastByteAt: number;
  readonly giveUp: (reason: string) => void;
  readonly #clock: Clock;

  constructor(bytes: number, isProduce: boolean, clock: Clock, giveUp: (reason: string) => void) {
    this.bytes = bytes;
    this.isProduce = isProduce;
    this.#clock = clock;
    this.since = clock.monotonic();
    this.lastByteAt = this.since;
    this.giveUp = giveUp;
  }

  progress(): void {
    this.lastByteAt = this.#clock.monotonic();
  }
}

/**
 * Reads the body into its memory.
 * @param onProgress called for each piece
 * @throws HttpError 413 when there is more than the memory holds; else the reason for the exchange's end
 */
export function readBody(
  stream: Readable,
  memory: Buffer,
  exchange: RpcExchange,
  onProgress: () => void,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let only: Buffer | null = null;
    let length = 0;
    const stop = () => {
      stream.off('data', onData).off('end', onEnd);
      exchange.whenGone(null);
    };
    const onData = (chunk: Buffer) => {
      onProgress();
      if (length + chunk.length > memory.length) {
        stop();
        const message = `The body has more than ${memory.length} bytes; a longer one must announce its content-length.`;
        reject(new HttpError(413, message));
        return;
      }
      // A body that comes in one piece needs no copy.
      if (length === 0 && chunk.length === memory.length) only = chunk;
      else memory.set(chunk, length);
      length += chunk.length;
    };
    const onEnd = () => {
      stop();
      resolve(only ?? memory.subarray(0, length));
    };
    exchange.whenGone(reason => {
      stop();
      reject(reason);
    });
    stream.on('data', onData).on('end', onEnd);
  });
}
