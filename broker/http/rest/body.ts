import { constants, Http2ServerRequest, type ServerHttp2Stream } from 'node:http2';
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { endHttp2 } from '../../../shared/connection/http2-ending.ts';
import { HttpError } from '../http-error.ts';

/** Largest JSON body; longer ones belong into a stream. */
export const MAX_JSON_BYTES = 4 << 20;

/** The media type that a request says its body has, in small letters and without parameters; '' when it does not say. */
export function contentType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

/** The chunks of a body. Whoever stops reading leaves the rest to `discard`, and the stream, which has an answer to carry, alone. */
export function chunksOf(body: Readable): AsyncIterable<Buffer> {
  return body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

/**
 * Lets the rest of a body run out that nobody reads any more, so that its sender sees the answer: over HTTP/2, Node resets
 * a stream that is answered before its body was asked for, and curl then says that the stream failed instead of showing
 * what it was told. What is longer than a JSON body may be is broken off all the same, over HTTP/2 behind the answer.
 *
 * A streamed answer ends when this has resolved, not before: curl 7.88 waits for ever when it finds the answer's end in
 * one read with the leave to send more (END_STREAM behind WINDOW_UPDATE).
 */
export function discard(body: Readable): Promise<void> {
  if (body.readableEnded || body.destroyed) return Promise.resolve();
  body.on('error', () => {});
  return new Promise(resolve => {
    let left = MAX_JSON_BYTES;
    body.on('data', (chunk: Buffer) => {
      if (left < 0) return;
      left -= chunk.length;
      if (left >= 0) return;
      if (body instanceof Http2ServerRequest) closeBehindAnswer(body.stream);
      else body.destroy();
      resolve();
    });
    body.once('end', resolve).once('close', resolve);
  });
}

/** The answer's last frame is that of its trailers, of which there are none; a reset that was sent before would overtake it. */
function closeBehindAnswer(stream: ServerHttp2Stream): void {
  const close = () => endHttp2(() => stream.close(constants.NGHTTP2_NO_ERROR));
  if (stream.sentTrailers === undefined) stream.once('wantTrailers', close);
  else close();
}

/** Whether the request failed because its body ended in the midst: the client has gone, or has reset the stream. */
export function isBrokenOff(error: unknown, { raw }: FastifyRequest): boolean {
  return raw.errored === error || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** The whole body. @throws HttpError 413 with `advice` when it is longer than a JSON body may be */
export async function collect(body: Readable, advice: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(body)) {
    size += chunk.length;
    if (size > MAX_JSON_BYTES) throw new HttpError(413, `The body has more than ${MAX_JSON_BYTES} bytes${advice}.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A number that the nearest double would not tell: it has this many digits, or an exponent. */
const LONG_NUMBER = /\d{16}|\d[eE]/;

/**
 * Parses JSON without changing numbers: an integer beyond 2^53 stays as it was written, so that what is written out again
 * (`JSON.stringify`) is what came in.
 * @param what the sentence begins with
 * @throws HttpError 400
 */
export function parseJson(text: string, what = 'The body'): unknown {
  try {
    return (LONG_NUMBER.test(text) ? JSON.parse(text, exactNumber as never) : JSON.parse(text)) as unknown;
  } catch (error) {
    throw new HttpError(400, `${what} is not JSON: ${(error as Error).message}.`);
  }
}

function exactNumber(_key: string, value: unknown, { source }: { source: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return String(value) === source ? value : (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source);
}
