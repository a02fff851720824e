import type { AnswerLease, Lease, RequestMemory } from './ports.ts';
import type { RpcCall } from './rpc-call.ts';
import type { UnsentAnswers } from './unsent-answers.ts';

/** The client went away before there was an answer; there is nobody to tell. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/**
 * One RPC from its head to its last byte. It outlives the handler: the request's memory is held until the handler is
 * done *and* the call is closed, the answer's until the kernel has all of it.
 */
export class RpcExchange {
  readonly #call: RpcCall;
  readonly #unsent: UnsentAnswers;
  readonly #memory: RequestMemory;
  #gone: Error | null = null;
  #onGone: ((reason: Error) => void) | null = null;
  #abort: AbortController | null = null;
  #lease: Lease | null = null;
  #answerMemory: AnswerLease | null = null;
  #unsentBytes = 0;
  #isSettled = false;
  #isClosed = false;

  constructor(call: RpcCall, unsent: UnsentAnswers, memory: RequestMemory) {
    this.#call = call;
    this.#unsent = unsent;
    this.#memory = memory;
    call.onClose(() => this.#onClose());
  }

  /** Why there is no use in going on, or null. */
  get gone(): Error | null {
    return this.#gone;
  }

  /** The same as a signal; made only for handlers that look at it. */
  get closed(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#gone !== null) this.#abort.abort(this.#gone);
    }
    return this.#abort.signal;
  }

  /** Sets the one listener that hears of the end, at once if it has come; null unsets it. */
  whenGone(listener: ((reason: Error) => void) | null): void {
    this.#onGone = listener;
    if (this.#gone !== null) listener?.(this.#gone);
  }

  /** Ends the exchange before there is an answer. */
  abort(reason: Error): void {
    if (this.#gone !== null) return;
    this.#gone = reason;
    this.#onGone?.(reason);
    this.#abort?.abort(reason);
  }

  hold(lease: Lease): void {
    this.#lease = lease;
  }

  /** Memory for the answer, for handlers that want it; it goes back when all of the answer has been sent. */
  get answerMemory(): AnswerLease {
    this.#answerMemory ??= this.#memory.forAnswer();
    return this.#answerMemory;
  }

  /** @returns the answer's bytes */
  answer(status: number, contentType: string | null, chunks: readonly Buffer[]): number {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (this.#isClosed) return bytes;
    this.#unsentBytes = bytes;
    this.#unsent.add(bytes);
    const own = chunks.map(chunk => this.#withoutRequest(chunk));
    const memory = this.#answerMemory;
    this.#call.reply.send(status, contentType, own, bytes, memory === null ? null : () => memory.release());
    return bytes;
  }

  /** The request's memory is another's as soon as the call is closed, when the answer may still be waiting to be sent. */
  #withoutRequest(chunk: Buffer): Buffer {
    return chunk.buffer === this.#lease?.bytes.buffer ? Buffer.from(chunk) : chunk;
  }

  reset(): void {
    if (!this.#isClosed) this.#call.reply.reset();
  }

  /** The handler is done with the request's bytes. */
  settle(): void {
    this.#isSettled = true;
    this.#releaseIfOver();
  }

  #onClose(): void {
    this.#isClosed = true;
    if (!this.#isSettled) this.abort(new ClientGone());
    this.#unsent.remove(this.#unsentBytes);
    this.#releaseIfOver();
  }

  #releaseIfOver(): void {
    if (this.#isSettled && this.#isClosed) this.#lease?.release();
  }
}
