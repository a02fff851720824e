import type { ClientHttp2Stream } from 'node:http2';
import { connectionErrorFrom } from './connect-errors.ts';
import { ConnectionError } from './connection.ts';
import { endHttp2 } from './http2-ending.ts';

/** An answer of more bytes cannot be held in one Buffer that a decoder works on. */
const MAX_ANSWER_BYTES = 0x3fffffff;

export interface RpcAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Gathers a stream's answer: into memory of the announced length, so that no byte is copied twice. */
export function collectAnswer(
  stream: ClientHttp2Stream,
  peer: string,
  resolve: (answer: RpcAnswer) => void,
  reject: (error: ConnectionError) => void,
): void {
  let status = 0;
  let body: AnswerBody | null = null;
  stream.on('response', headers => {
    status = headers[':status'] ?? 0;
    const length = headers['content-length'];
    body = new AnswerBody(length === undefined ? null : Number(length));
    if (body.isTooLong) fail(`it announces an answer of ${length} bytes`);
  });
  stream.on('data', (chunk: Buffer) => {
    if (!body!.add(chunk)) fail('its answer is longer than announced');
  });
  stream.on('end', () => {
    const whole = body?.finish() ?? null;
    if (whole !== null) resolve({ status, body: whole });
  });
  stream.on('error', (error: Error) => reject(connectionErrorFrom(error, peer)));
  stream.on('close', () => reject(new ConnectionError('CLOSED', `${peer} reset the call`)));
  const fail = (reason: string) => {
    reject(new ConnectionError('BAD_RESPONSE', `${peer}: ${reason}`));
    endHttp2(() => stream.destroy());
  };
}

class AnswerBody {
  readonly #expected: number | null;
  readonly #chunks: Buffer[] = [];
  #memory: Buffer | null = null;
  #length = 0;

  /** @param expected content-length, if there is one */
  constructor(expected: number | null) {
    this.#expected = expected;
  }

  get isTooLong(): boolean {
    return (this.#expected ?? 0) > MAX_ANSWER_BYTES;
  }

  /** False when there is more than was announced. */
  add(chunk: Buffer): boolean {
    const end = this.#length + chunk.length;
    if (end > (this.#expected ?? MAX_ANSWER_BYTES)) return false;
    if (this.#expected === null || (this.#length === 0 && end === this.#expected)) {
      this.#chunks.push(chunk);
    } else {
      this.#memory ??= Buffer.allocUnsafeSlow(this.#expected);
      this.#memory.set(chunk, this.#length);
    }
    this.#length = end;
    return true;
  }

  /** The whole body; null when bytes are missing. */
  finish(): Buffer | null {
    if (this.#expected !== null && this.#length < this.#expected) return null;
    if (this.#memory !== null) return this.#memory;
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
  }
}
