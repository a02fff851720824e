import type { ConnectionContext, RequestContext } from '../request/context.ts';
import type { PooledAnswerMemory } from './answer-memory.ts';
import type { Lease, RequestMemory } from './request-memory.ts';

/** Requests of one connection that may be under way at a time. */
export const MAX_IN_FLIGHT = 64;

/** Answers that may be ready and not sent before further requests wait, in bytes. */
const MAX_UNSENT_BYTES = 1 << 20;

/** The API whose answers may be as large as `fetch.max.bytes`. */
const FETCH_API_KEY = 1;

/**
 *     running ──park()──► parked ──► answered
 *        └───────────────────────────►┘
 */
type RequestState = 'running' | 'parked' | 'answered';

/** A request that came over a Kafka connection, from its frame to its answer. */
export class PipelinedRequest implements RequestContext {
  readonly connection: ConnectionContext;
  readonly clientId: string;
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly lease: Lease;
  /** Monotonic milliseconds when the frame was complete. */
  readonly receivedAt: number;
  state: RequestState = 'running';
  /** The answer's frame; null when none is sent. */
  answer: readonly Buffer[] | null = null;
  /** Bytes of that frame. */
  answerBytes = 0;
  /** The request ends the connection, once those before it are answered. */
  endsConnection = false;
  /** Nobody waits for the answer any more; the memory is still the handler's until it is done. */
  isAbandoned = false;
  readonly #memory: RequestMemory;
  readonly #onParked: () => void;
  #answerMemory: PooledAnswerMemory | null = null;

  constructor(
    header: { apiKey: number; apiVersion: number; correlationId: number; clientId: string | null },
    connection: ConnectionContext,
    lease: Lease,
    memory: RequestMemory,
    receivedAt: number,
    onParked: () => void,
  ) {
    this.apiKey = header.apiKey;
    this.apiVersion = header.apiVersion;
    this.correlationId = header.correlationId;
    this.clientId = header.clientId ?? '';
    this.connection = connection;
    this.lease = lease;
    this.receivedAt = receivedAt;
    this.#memory = memory;
    this.#onParked = onParked;
  }

  get answerMemory(): PooledAnswerMemory {
    this.#answerMemory ??= this.#memory.forAnswer();
    return this.#answerMemory;
  }

  /** Gives back the memory of request and answer: the handler is done, and the answer is written or never will be. */
  release(): void {
    this.lease.release();
    this.#answerMemory?.release();
  }

  park(): void {
    if (this.state !== 'running') return;
    this.state = 'parked';
    this.#onParked();
  }
}

/** Keeps a connection's requests in order: when the next may start, and which answers may go out. */
export class RequestPipeline {
  #requests: PipelinedRequest[] = [];

  get size(): number {
    return this.#requests.length;
  }

  /**
   * A request starts when the one before it is answered or parked, and the answers that wait for their turn are not too
   * large. Fetches go one at a time, for each may hold as much memory as all other answers of the connection together;
   * no client is known to send a second one before the answer.
   */
  mayStart(apiKey: number): boolean {
    const requests = this.#requests;
    const last = requests.at(-1);
    if (last === undefined) return true;
    if (requests.length >= MAX_IN_FLIGHT || last.state === 'running' || last.endsConnection) return false;
    let unsentBytes = 0;
    const fetches = apiKey === FETCH_API_KEY;
    for (const request of requests) {
      if (fetches && request.apiKey === FETCH_API_KEY) return false;
      unsentBytes += request.answerBytes;
    }
    return unsentBytes <= MAX_UNSENT_BYTES;
  }

  add(request: PipelinedRequest): void {
    this.#requests.push(request);
  }

  /** Some requests wait for their handlers, as opposed to answers that wait for the socket. */
  get isHandling(): boolean {
    return this.#requests.some(request => request.state !== 'answered');
  }

  /** Takes out the answered requests before the first unanswered one, up to one that ends the connection. */
  takeAnswered(): PipelinedRequest[] {
    let count = 0;
    for (const request of this.#requests) {
      if (request.state !== 'answered') break;
      count++;
      if (request.endsConnection) break;
    }
    return this.#requests.splice(0, count);
  }

  /** Forgets all requests: memory of answered ones is given back now, of the others by whoever sees them end. */
  abandon(): void {
    for (const request of this.#requests) {
      if (request.state === 'answered') request.release();
      request.isAbandoned = true;
    }
    this.#requests = [];
  }
}
