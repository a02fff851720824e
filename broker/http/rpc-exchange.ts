import type { ServerResponse } from 'node:http';
import { constants, Http2ServerResponse } from 'node:http2';
import { RequestAborted, type RequestBody } from './request-body.ts';
import { CONTENT_TYPES, type RpcForm } from './rpc-form.ts';
import type { UnsentAnswers } from './unsent-answers.ts';

/**
 * The answering side of one RPC, over either HTTP version. It outlives the handler: the request's memory is held until
 * the handler is done *and* the answer is out, for an answer may hold views of the request.
 */
export class RpcExchange {
  readonly #response: ServerResponse;
  readonly #unsent: UnsentAnswers;
  readonly #gone = new AbortController();
  #held: RequestBody | null = null;
  #unsentBytes = 0;
  #isSettled = false;
  #isClosed = false;

  constructor(response: ServerResponse, unsent: UnsentAnswers) {
    this.#response = response;
    this.#unsent = unsent;
    response.once('close', () => this.#onClose());
  }

  /** Aborts when the client is gone, or its time for the request is over, before there is an answer. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Ends the exchange for a reason of the broker's own. */
  abort(reason: Error): void {
    this.#gone.abort(reason);
  }

  hold(body: RequestBody): void {
    this.#held = body;
  }

  answer(form: RpcForm, chunks: readonly Buffer[], bytes: number): void {
    this.#unsentBytes = bytes;
    this.#unsent.add(bytes);
    this.#response.writeHead(200, { 'content-type': CONTENT_TYPES[form], 'content-length': bytes });
    this.#response.cork();
    for (const chunk of chunks) this.#response.write(chunk);
    this.#response.end();
    this.#response.uncork();
  }

  /** Accepted, and there is nothing to say. */
  answerNothing(): void {
    this.#response.writeHead(204);
    this.#response.end();
  }

  /** Breaks off without an answer: that stream only, or the whole connection where it carries nothing else. */
  reset(): void {
    const response: unknown = this.#response;
    if (response instanceof Http2ServerResponse) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else this.#response.destroy();
  }

  /** The handler is done with the request's bytes. */
  settle(): void {
    this.#isSettled = true;
    this.#releaseIfOver();
  }

  #onClose(): void {
    this.#isClosed = true;
    if (!this.#isSettled) this.#gone.abort(new RequestAborted());
    this.#unsent.remove(this.#unsentBytes);
    this.#releaseIfOver();
  }

  #releaseIfOver(): void {
    if (this.#isSettled && this.#isClosed) this.#held?.release();
  }
}
