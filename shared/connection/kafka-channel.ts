import { connect, type Socket } from 'node:net';
import type { Timer, Timers } from '../runtime/clock.ts';
import { connectTls, type ClientTls } from '../tls/client.ts';
import { connectionErrorFrom, peerName } from './connect-errors.ts';
import { ConnectionError, type Address } from './connection.ts';
import { FrameReader } from './frame-reader.ts';
import { afterThisTurn } from './turn.ts';

/** No Kafka response is longer, and the start of every HTTP response read as a size is: a wrong port shows itself. */
const MAX_RESPONSE_BYTES = 0x3fffffff;

interface PendingCall {
  readonly correlationId: number;
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: Error) => void;
  readonly allocate: (bytes: number) => Buffer;
  readonly timer: Timer;
}

/** The answer's record views live as long as the caller likes, so its memory is its own. */
function newMemory(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(bytes);
}

/**
 * A socket to a broker that carries Kafka frames: requests go out in the order they are sent, all of one loop turn in
 * one write, and answers come back in the same order.
 */
export class KafkaChannel {
  readonly peer: string;
  readonly #socket: Socket;
  /** After which event the peer may be spoken to. */
  readonly #readyEvent: 'connect' | 'secureConnect';
  readonly #timers: Timers;
  readonly #reader: FrameReader;
  readonly #pending: PendingCall[] = [];
  readonly #closeListeners: (() => void)[] = [];
  #correlationId = 0;
  #corked = false;
  #ended: ConnectionError | null = null;

  private constructor(address: Address, timers: Timers, tls: ClientTls | null) {
    this.peer = peerName(address);
    this.#timers = timers;
    this.#reader = new FrameReader({
      peekBytes: 0,
      refuse: size => this.#refuse(size),
      // Answers come in the order of the calls; one that nobody asked for is refused when it is complete.
      allocate: size => (this.#pending[0]?.allocate ?? newMemory)(size),
      onFrame: frame => this.#onFrame(frame),
    });
    const onread = {
      buffer: () => this.#reader.target(),
      callback: (length: number, buffer: Uint8Array) => this.#consume(buffer as Buffer, length),
    };
    this.#socket =
      tls === null
        ? connect({ ...address, noDelay: true, keepAlive: true, onread })
        : connectTls({ ...address, tls, onread });
    this.#readyEvent = tls === null ? 'connect' : 'secureConnect';
  }

  /** @throws ConnectionError: REFUSED, TIMED_OUT, INSECURE or CLOSED */
  static open(
    address: Address,
    connectTimeoutMs: number,
    timers: Timers,
    tls: ClientTls | null,
  ): Promise<KafkaChannel> {
    const channel = new KafkaChannel(address, timers, tls);
    return new Promise((resolve, reject) => {
      const timer = timers.after(connectTimeoutMs, () =>
        channel.fail(new ConnectionError('TIMED_OUT', `${channel.peer} did not accept within ${connectTimeoutMs} ms`)),
      );
      channel.onClose(() => {
        timer.cancel();
        reject(channel.#ended!);
      });
      channel.#listen(() => {
        timer.cancel();
        resolve(channel);
      });
    });
  }

  get closed(): boolean {
    return this.#ended !== null;
  }

  nextCorrelationId(): number {
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff;
    return this.#correlationId;
  }

  /** Sends a frame and resolves with the answer's frame, in memory from `allocate`. */
  call(
    chunks: readonly Buffer[],
    correlationId: number,
    timeoutMs: number,
    allocate: (bytes: number) => Buffer = newMemory,
  ): Promise<Buffer> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const timer = this.#timers.after(timeoutMs, () =>
        this.fail(new ConnectionError('TIMED_OUT', `${this.peer} did not answer within ${timeoutMs} ms`)),
      );
      this.#pending.push({ correlationId, resolve, reject, allocate, timer });
      this.#write(chunks);
    });
  }

  /** Sends a frame that is not answered, and resolves when the kernel has taken it. */
  send(chunks: readonly Buffer[]): Promise<void> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#write(chunks, error => {
        if (error) reject(this.#ended ?? connectionErrorFrom(error, this.peer));
        else resolve();
      });
    });
  }

  close(): void {
    this.fail(new ConnectionError('CLOSED', `the connection to ${this.peer} was closed`));
  }

  onClose(listener: () => void): void {
    if (this.#ended === null) this.#closeListeners.push(listener);
    else listener();
  }

  /** Ends the connection: whoever waits for an answer learns why. Only the first reason counts. */
  fail(error: ConnectionError): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.#socket.destroy();
    for (const call of this.#pending.splice(0)) {
      call.timer.cancel();
      call.reject(error);
    }
    for (const listener of this.#closeListeners.splice(0)) listener();
  }

  #listen(onConnect: () => void): void {
    this.#socket.once(this.#readyEvent, onConnect);
    this.#socket.on('error', error => this.fail(connectionErrorFrom(error, this.peer)));
    this.#socket.on('close', () => this.fail(new ConnectionError('CLOSED', `${this.peer} closed the connection`)));
    this.#socket.resume();
  }

  #write(chunks: readonly Buffer[], written?: (error?: Error | null) => void): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      afterThisTurn(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    const last = chunks.length - 1;
    for (let i = 0; i < last; i++) this.#socket.write(chunks[i]!);
    this.#socket.write(chunks[last]!, written);
  }

  #refuse(size: number): string | null {
    const isPossible = size >= 4 && size <= MAX_RESPONSE_BYTES;
    return isPossible ? null : `an answer of ${size} bytes cannot be: is it a Kafka port?`;
  }

  #consume(buffer: Buffer, length: number): boolean {
    try {
      return this.#reader.consume(buffer, length);
    } catch (error) {
      this.#badResponse((error as Error).message);
      return false;
    }
  }

  #onFrame(frame: Buffer): boolean {
    const correlationId = frame.readInt32BE(0);
    const call = this.#pending.shift();
    if (call?.correlationId !== correlationId) {
      if (call !== undefined) this.#pending.unshift(call);
      const expected = call === undefined ? 'none' : `the answer to ${call.correlationId}`;
      this.#badResponse(`it answered request ${correlationId} while ${expected} was due`);
      return false;
    }
    call.timer.cancel();
    call.resolve(frame);
    return true;
  }

  #badResponse(reason: string): void {
    this.fail(new ConnectionError('BAD_RESPONSE', `${this.peer}: ${reason}`));
  }
}
