import { createServer, Socket } from 'node:net';
import { crc32c } from '@node-rs/crc32';
import { AppendLog } from './bare/append-log.ts';
import { fetchAnswerHead, produceAnswer } from './bare/canned-answers.ts';
import { MemoryPool } from './bare/memory-pool.ts';
import { bareOptions, reportPort } from './bare/options.ts';

/**
 * What a Kafka broker cannot do without, and nothing else: receive frames, check the batch's CRC-32C, append it and
 * answer; or read a batch from the file and send it. No topics, offsets, limits, metrics or error handling.
 */

const CRC_AT = 17;
const CRC_FROM = 21;
const FETCH_KEY = 1;
const SCRATCH_BYTES = 64 * 1024;

const { file, topic, batchBytes } = bareOptions();
const log = new AppendLog(file);
const pool = new MemoryPool();
const produced = produceAnswer(topic);
const fetchedHead = fetchAnswerHead(topic, batchBytes);
let readAt = 0;

interface Read {
  readonly correlationId: number;
  readonly memory: Buffer;
  isDone: boolean;
}

class BareConnection {
  #socket!: Socket;
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  readonly #size = Buffer.alloc(4);
  #sizeFilled = 0;
  #frame: Buffer | null = null;
  #filled = 0;
  #corked = false;
  readonly #reads: Read[] = [];

  /** Answers go to the socket that reads into this connection's memory. */
  attach(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', () => socket.destroy());
  }

  /** Large frames are read straight into their memory. */
  target(): Buffer {
    return this.#frame === null ? this.#scratch.subarray(0, 2048) : this.#frame.subarray(this.#filled);
  }

  consume(length: number, buffer: Buffer): boolean {
    if (this.#frame === null) this.#parse(buffer.subarray(0, length));
    else this.#fill(length);
    return true;
  }

  #parse(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#frame === null) {
        const count = bytes.copy(this.#size, this.#sizeFilled, at);
        at += count;
        this.#sizeFilled += count;
        if (this.#sizeFilled < 4) return;
        this.#sizeFilled = 0;
        this.#frame = pool.take(this.#size.readInt32BE(0));
        this.#filled = 0;
      } else {
        const count = bytes.copy(this.#frame, this.#filled, at);
        at += count;
        this.#fill(count);
      }
    }
  }

  #fill(count: number): void {
    this.#filled += count;
    const frame = this.#frame!;
    if (this.#filled < frame.length) return;
    this.#frame = null;
    if (frame.readInt16BE(0) === FETCH_KEY) this.#fetch(frame);
    else this.#produce(frame);
  }

  #produce(frame: Buffer): void {
    const batch = frame.subarray(frame.length - batchBytes);
    if (crc32c(batch.subarray(CRC_FROM)) !== batch.readUInt32BE(CRC_AT)) throw new Error('wrong checksum');
    const correlationId = frame.readInt32BE(4);
    log.append([batch], batchBytes, () => {
      pool.giveBack(frame);
      this.#answer(correlationId, [produced], () => undefined);
    });
  }

  #fetch(frame: Buffer): void {
    const read: Read = { correlationId: frame.readInt32BE(4), memory: pool.take(batchBytes), isDone: false };
    pool.giveBack(frame);
    this.#reads.push(read);
    const position = readAt;
    readAt = readAt + 2 * batchBytes > log.size ? 0 : readAt + batchBytes;
    log.read(read.memory, position, () => {
      read.isDone = true;
      this.#answerReads();
    });
  }

  /** The thread pool may be done with a later read first; answers keep the order of the requests. */
  #answerReads(): void {
    while (this.#reads[0]?.isDone === true) {
      const { correlationId, memory } = this.#reads.shift()!;
      this.#answer(correlationId, [fetchedHead, memory], () => pool.giveBack(memory));
    }
  }

  /** All answers of a loop turn go out in one write. */
  #answer(correlationId: number, body: readonly Buffer[], written: () => void): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    const head = Buffer.allocUnsafe(8);
    head.writeInt32BE(4 + body.reduce((sum, chunk) => sum + chunk.length, 0), 0);
    head.writeInt32BE(correlationId, 4);
    this.#socket.write(head);
    for (const chunk of body) this.#socket.write(chunk, chunk === body.at(-1) ? written : undefined);
  }
}

interface Adoptable {
  _handle: object | null;
}

const server = createServer({ noDelay: true, pauseOnConnect: true }, accepted => {
  // `onread` can only be given to a new Socket: it takes over the accepted one's handle.
  const handle = (accepted as unknown as Adoptable)._handle;
  (accepted as unknown as Adoptable)._handle = null;
  const connection = new BareConnection();
  const onread = {
    buffer: () => connection.target(),
    callback: (length: number, buffer: Uint8Array) => connection.consume(length, buffer as Buffer),
  };
  const socket = new Socket({ handle, onread } as object);
  connection.attach(socket);
  socket.resume();
});
server.listen(0, '127.0.0.1', () => reportPort(server.address()));
process.on('SIGHUP', () => log.reset());
