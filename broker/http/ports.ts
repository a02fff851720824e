import type { AnswerMemory } from '../request/answer-memory.ts';

/** What this room needs of others; broker.ts plugs it in. */

/** Memory of one request, held until it has been answered. */
export interface Lease {
  readonly bytes: Buffer;
  release(): void;
}

/** Memory of one answer. */
export interface AnswerLease extends AnswerMemory {
  /** Nobody looks at the answer any more. Without it, the memory is left to the garbage collector. */
  release(): void;
}

/** A request whose memory is taken and whose bytes are still on their way. */
export interface Filling {
  readonly bytes: number;
  readonly isProduce: boolean;
  /** When its memory was given, in monotonic milliseconds. */
  readonly since: number;
  /** When the last of its bytes came, in monotonic milliseconds. */
  readonly lastByteAt: number;
  /** Its memory is wanted by others: end it, and say why. */
  giveUp(reason: string): void;
}

/** The memory for requests under way, shared by all dialects. */
export interface RequestMemory {
  /** Memory at once, or null when there is none. */
  tryLease(length: number, isProduce: boolean): Lease | null;
  /** Memory when it is there; returns what gives up waiting. */
  lease(length: number, isProduce: boolean, granted: (lease: Lease) => void): () => void;
  /** It takes more than the first read to fill; `filled` ends it. */
  filling(filling: Filling): void;
  filled(filling: Filling): void;
  /** Memory for the answer to one request. */
  forAnswer(): AnswerLease;
}

/** What metrics want to hear about RPCs. */
export interface RpcObserver {
  /** @param elapsedMs from the request's last byte to its answer being handed to the socket */
  requestAnswered(apiKey: number, elapsedMs: number, requestBytes: number, responseBytes: number): void;
}

/** Whether the broker should be sent work. */
export interface Readiness {
  readonly ready: boolean;
  /** What is missing, as one sentence; shown to whoever asks. */
  readonly reason: string;
}

/** The configuration of this room. Values are read when they are needed: getters make them changeable while running. */
export interface HttpOptions {
  /** `socket.request.max.bytes`. */
  readonly maxRequestBytes: number;
  /** `request.timeout.ms`: how long the body of an RPC may take to arrive. */
  readonly requestTimeoutMs: number;
  /** `connections.max.idle.ms`; negative = never. */
  readonly maxIdleMs: number;
}
