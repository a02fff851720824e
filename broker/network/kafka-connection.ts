import type { Socket } from 'node:net';
import { FrameError, FrameReader } from '../../shared/connection/frame-reader.ts';
import { afterThisTurn } from '../../shared/connection/turn.ts';
import { ProtocolError } from '../../shared/protocol/errors.ts';
import { decodeRequestHeader, encodeResponseFrame } from '../../shared/protocol/headers.ts';
import type { Clock, Timer, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { ConnectionContext } from '../request/context.ts';
import { CloseConnection, type Dispatcher } from '../request/handler.ts';
import { adoptSocket } from './adopt-socket.ts';
import { byteLength, writeAnswers } from './answer-writer.ts';
import { frameSizeFault, headerFault } from './frame-faults.ts';
import { FrameMemory } from './frame-memory.ts';
import type { NetworkOptions, RequestObserver } from './options.ts';
import type { RequestMemory } from './request-memory.ts';
import { PipelinedRequest, RequestPipeline } from './request-pipeline.ts';

const PRODUCE_API_KEY = 0;
/** The api key: enough to know out of which budget the frame's memory comes. */
const PEEK_BYTES = 2;
/** How long a connection that is to be closed may take to carry off its last answers. */
const CLOSE_GRACE_MS = 10_000;

/** What all Kafka connections of the broker share. */
export interface KafkaSurroundings {
  readonly dispatcher: Dispatcher;
  readonly memory: RequestMemory;
  readonly options: NetworkOptions;
  readonly observer: RequestObserver;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 *     open ──peer's FIN──► finishing ──all that was received is answered──► closed
 *      ├──malformed frame, broker stops──► ending ──what was started is answered──► closed
 *      └──connection lost──► closed
 */
type ConnectionState = 'open' | 'finishing' | 'ending' | 'closed';

/**
 * One connection that speaks the Kafka protocol.
 *
 *     bytes ─► FrameReader ─► next ─► dispatch ─► pipeline ─► one write of all answers that are due
 *                 ▲             │
 *                 └─ stopped ◄──┘ while `next` cannot start, memory is short or the peer does not read its answers
 *
 * At most one complete request waits to be started; everything behind it stays in the kernel's buffers (or in the rest
 * of the last read), so a peer that sends without end, or does not read, holds bounded memory.
 */
export class KafkaConnection {
  readonly #context: ConnectionContext;
  readonly #abort: AbortController;
  readonly #shared: KafkaSurroundings;
  readonly #socket: Socket;
  readonly #pipeline = new RequestPipeline();
  readonly #memory: FrameMemory;
  readonly #reader: FrameReader;
  #state: ConnectionState = 'open';
  #next: { readonly request: PipelinedRequest; readonly body: Buffer } | null = null;
  #isReading = true;
  #isParsing = false;
  #advanceScheduled = false;
  #flushScheduled = false;
  #lastProgress: number;
  #graceTimer: Timer | null = null;

  /**
   * @param accepted a socket of which only `first` has been read
   * @param abort aborts `context.closed`
   */
  constructor(
    accepted: Socket,
    first: Buffer,
    context: ConnectionContext,
    abort: AbortController,
    shared: KafkaSurroundings,
  ) {
    this.#context = context;
    this.#abort = abort;
    this.#shared = shared;
    this.#lastProgress = shared.clock.monotonic();
    this.#memory = new FrameMemory(shared.memory, {
      granted: () => this.#advanceSoon(),
      giveUp: reason => this.#giveUp(reason),
    });
    this.#reader = new FrameReader({
      peekBytes: PEEK_BYTES,
      refuse: size => frameSizeFault(size, shared.options.maxRequestBytes),
      allocate: (size, peeked) => this.#memory.allocate(size, peeked.readInt16BE(0) === PRODUCE_API_KEY),
      onFrame: frame => this.#onFrame(frame),
    });
    this.#socket = adoptSocket(accepted, {
      target: () => this.#reader.target(),
      consume: (buffer, length) => this.#consume(buffer, length),
    });
    this.#listen();
    if (!this.#consume(first, first.length)) this.#socket.pause();
  }

  get id(): string {
    return this.#context.connectionId;
  }

  /** The socket in use, which is not the accepted one. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Starts no further request, and closes when those under way are answered. */
  end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'ending';
    this.#next?.request.release();
    this.#next = null;
    this.#memory.discard();
    this.#pauseReading();
    this.#closeSoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * Why the connection should be closed by now, or null: no progress for too long while it was the peer's turn.
   * @param now monotonic milliseconds
   */
  idleReason(now: number): string | null {
    const { maxIdleMs, requestTimeoutMs } = this.#shared.options;
    const idleMs = now - this.#lastProgress;
    if (this.#isReading && this.#reader.midFrame && idleMs > requestTimeoutMs) {
      return `no byte of the request that it began came for ${requestTimeoutMs} ms`;
    }
    if (maxIdleMs < 0 || idleMs <= maxIdleMs || this.#pipeline.isHandling) return null;
    return `it was idle for more than ${maxIdleMs} ms`;
  }

  #listen(): void {
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('drain', () => this.#advance());
    this.#socket.on('error', error => this.#log().debug({ err: error }, 'connection lost'));
    this.#socket.once('close', () => this.#onClose());
  }

  #log(): Logger {
    const { connectionId, listenerName } = this.#context;
    return this.#shared.logger.child({ connection: connectionId, listener: listenerName });
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #consume(buffer: Buffer, length: number): boolean {
    this.#lastProgress = this.#shared.clock.monotonic();
    if (this.#state !== 'open') return false;
    this.#isReading = this.#parse(() => this.#reader.consume(buffer, length));
    return this.#isReading;
  }

  /** Runs the reader. Handlers that it sets off may park or answer at once, which must not run it again from within. */
  #parse(step: () => boolean): boolean {
    this.#isParsing = true;
    try {
      const goesOn = step();
      if (this.#reader.midFrame) this.#memory.unfinished(this.#shared.clock.monotonic());
      return goesOn;
    } catch (error) {
      this.#report(error);
      this.end();
      return false;
    } finally {
      this.#isParsing = false;
    }
  }

  #giveUp(reason: string): void {
    this.#log().info(`closing the connection: ${reason}`);
    this.destroy();
  }

  #onFrame(frame: Buffer): boolean {
    const lease = this.#memory.take();
    try {
      const fault = headerFault(frame, this.#shared.dispatcher);
      if (fault !== null) throw new FrameError(fault);
      const header = decodeRequestHeader(frame);
      const receivedAt = this.#lastProgress;
      const { memory } = this.#shared;
      const request = new PipelinedRequest(header, this.#context, lease, memory, receivedAt, () => this.#advanceSoon());
      this.#next = { request, body: frame.subarray(header.bodyOffset) };
    } catch (error) {
      lease.release();
      throw error;
    }
    return this.#startNext();
  }

  #pauseReading(): void {
    this.#isReading = false;
    this.#socket.pause();
  }

  // ── handling ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Starts the request that waits, if it may. False while one is left waiting. */
  #startNext(): boolean {
    const next = this.#next;
    if (next === null) return true;
    if (this.#socket.writableNeedDrain || !this.#pipeline.mayStart(next.request.apiKey)) return false;
    this.#next = null;
    this.#pipeline.add(next.request);
    this.#dispatch(next.request, next.body);
    return true;
  }

  #dispatch(request: PipelinedRequest, body: Buffer): void {
    try {
      const answer = this.#shared.dispatcher.dispatch(body, request);
      if (!(answer instanceof Promise)) {
        this.#answered(request, answer);
        return;
      }
      answer.then(chunks => this.#answered(request, chunks)).catch((error: unknown) => this.#broke(request, error));
    } catch (error) {
      this.#broke(request, error);
    }
  }

  #answered(request: PipelinedRequest, body: readonly Buffer[] | undefined): void {
    if (body !== undefined) {
      const { api } = this.#shared.dispatcher.handlerFor(request.apiKey)!;
      request.answer = encodeResponseFrame(api, request.apiVersion, request.correlationId, body);
      request.answerBytes = byteLength(request.answer);
    }
    this.#settle(request);
  }

  #broke(request: PipelinedRequest, error: unknown): void {
    request.endsConnection = true;
    if (!request.isAbandoned) this.#report(error);
    this.#settle(request);
  }

  #settle(request: PipelinedRequest): void {
    request.state = 'answered';
    if (request.isAbandoned) request.release();
    else this.#flushSoon();
  }

  /** Something changed that may let the next request start. Not at once: the caller may be inside a handler. */
  #advanceSoon(): void {
    if (this.#isParsing || this.#advanceScheduled) return;
    this.#advanceScheduled = true;
    queueMicrotask(() => {
      this.#advanceScheduled = false;
      this.#advance();
    });
  }

  #advance(): void {
    if (this.#state === 'ending' || this.#state === 'closed' || this.#isParsing) return;
    if (!this.#startNext() || this.#isReading) return;
    if (this.#parse(() => this.#reader.resume())) {
      this.#isReading = true;
      this.#socket.resume();
    }
    this.#closeIfDone();
  }

  // ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────

  #flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    afterThisTurn(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    const due = this.#pipeline.takeAnswered();
    if (due.length > 0) this.#write(due);
    if (due.at(-1)?.endsConnection === true) {
      this.#pipeline.abandon();
      this.end();
      return;
    }
    this.#advance();
    this.#closeIfDone();
  }

  #write(due: readonly PipelinedRequest[]): void {
    for (const request of due) this.#observe(request);
    writeAnswers(this.#socket, due, () => {
      this.#lastProgress = this.#shared.clock.monotonic();
    });
  }

  #observe({ apiKey, receivedAt, lease, answerBytes }: PipelinedRequest): void {
    const elapsedMs = this.#shared.clock.monotonic() - receivedAt;
    this.#shared.observer.requestAnswered(apiKey, elapsedMs, lease.bytes.length, answerBytes);
  }

  // ── closing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The peer sends no more (FIN); what it has sent is answered all the same, as `printf … | nc` expects. */
  #onEnd(): void {
    if (this.#state !== 'open') return;
    this.#state = 'finishing';
    this.#closeSoon();
  }

  #closeSoon(): void {
    this.#graceTimer ??= this.#shared.timers.after(CLOSE_GRACE_MS, () => this.destroy());
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    const isLast = this.#state === 'ending' || (this.#state === 'finishing' && !this.#hasBacklog());
    if (isLast && this.#pipeline.size === 0) this.#socket.destroySoon();
  }

  #hasBacklog(): boolean {
    return this.#next !== null || this.#reader.hasLeftover || this.#memory.isWaiting;
  }

  #onClose(): void {
    this.#state = 'closed';
    this.#graceTimer?.cancel();
    this.#next?.request.release();
    this.#next = null;
    this.#memory.discard();
    this.#pipeline.abandon();
    this.#abort.abort();
  }

  /** One line says why the connection is closed; what the peer did wrong is a warning, what the broker did an error. */
  #report(error: unknown): void {
    if (error instanceof FrameError || error instanceof ProtocolError) {
      this.#log().warn(`closing the connection: ${error.message}`);
    } else if (error instanceof CloseConnection) {
      this.#log().info(`closing the connection: ${error.message}`);
    } else {
      this.#log().error({ err: error }, 'closing the connection: a request failed unexpectedly');
    }
  }
}
