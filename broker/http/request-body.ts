import type { Readable } from 'node:stream';
import { HttpError } from './http-error.ts';
import type { Lease, RequestMemory } from './ports.ts';

/** What a body without content-length may have: memory is set aside before it is read. */
export const UNANNOUNCED_MAX_BYTES = 1 << 20;

/** The client went away before its request was complete; there is nobody to tell. */
export class RequestAborted extends Error {
  override readonly name = 'RequestAborted';
}

/** A body in memory that is held until `release`. */
export interface RequestBody {
  readonly bytes: Buffer;
  release(): void;
}

/**
 * How much memory the body needs.
 * @param contentLength the header's value
 * @throws HttpError 413 when it is more than a request may have
 */
export function bodyLength(contentLength: string | undefined, maxBytes: number): number {
  if (contentLength === undefined) return Math.min(UNANNOUNCED_MAX_BYTES, maxBytes);
  const length = Number(contentLength);
  if (length > maxBytes) {
    throw new HttpError(413, `The body has ${length} bytes; socket.request.max.bytes allows ${maxBytes}.`);
  }
  return length;
}

/**
 * Waits for the body's memory. Leaves the line when the client goes away.
 * @throws RequestAborted
 */
export function bodyMemory(
  memory: RequestMemory,
  length: number,
  isProduce: boolean,
  gone: AbortSignal,
): Promise<Lease> | Lease {
  const lease = memory.tryLease(length, isProduce);
  if (lease !== null) return lease;
  return new Promise((resolve, reject) => {
    const giveUp = memory.lease(length, isProduce, granted => {
      gone.removeEventListener('abort', onGone);
      resolve(granted);
    });
    const onGone = () => {
      giveUp();
      reject(new RequestAborted());
    };
    gone.addEventListener('abort', onGone, { once: true });
  });
}

/**
 * Reads the body into its memory.
 * @throws HttpError 413 when there is more than the memory holds; RequestAborted when the client goes away
 */
export function readBody(stream: Readable, lease: Lease, gone: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const memory = lease.bytes;
    let only: Buffer | null = null;
    let length = 0;
    const finish = (settle: () => void) => {
      stream.off('data', onData).off('end', onEnd);
      gone.removeEventListener('abort', onGone);
      settle();
    };
    const onData = (chunk: Buffer) => {
      if (length + chunk.length > memory.length) {
        const message = `The body has more than ${memory.length} bytes; a longer one must announce its content-length.`;
        finish(() => reject(new HttpError(413, message)));
        return;
      }
      // A body that comes in one piece needs no copy.
      if (length === 0 && chunk.length === memory.length) only = chunk;
      else memory.set(chunk, length);
      length += chunk.length;
    };
    const onEnd = () => finish(() => resolve(only ?? memory.subarray(0, length)));
    const onGone = () => finish(() => reject(gone.reason as Error));
    stream.on('data', onData).on('end', onEnd);
    gone.addEventListener('abort', onGone, { once: true });
  });
}
