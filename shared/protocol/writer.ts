import { ProtocolError } from './errors.ts';
import type { Records } from './schema.ts';

/** Records of at least this many bytes are passed on as views; shorter ones are cheaper to copy than to keep apart. */
const COPY_BELOW = 1024;

/** Writes primitives into a list of chunks: its own bytes, and between them the records, which are never copied. */
export class Writer {
  readonly #message: string;
  readonly #chunks: Buffer[] = [];
  #buffer: Buffer;
  /** Start of the bytes in `#buffer` that are not in `#chunks` yet. */
  #start = 0;
  #position = 0;
  #chunkBytes = 0;

  constructor(message: string, capacity = 256) {
    this.#message = message;
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#chunkBytes + this.#position - this.#start;
  }

  fail(path: string, reason: string): never {
    throw new ProtocolError(`${this.#message}: ${path}: ${reason}`);
  }

  #reserve(size: number): number {
    const at = this.#position;
    if (at + size > this.#buffer.length) return this.#grow(size);
    this.#position = at + size;
    return at;
  }

  #grow(size: number): number {
    const pending = this.#buffer.subarray(this.#start, this.#position);
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, pending.length + size));
    pending.copy(grown);
    this.#buffer = grown;
    this.#start = 0;
    this.#position = pending.length + size;
    return pending.length;
  }

  #cut(): void {
    if (this.#position === this.#start) return;
    this.#push(this.#buffer.subarray(this.#start, this.#position));
    this.#start = this.#position;
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
  }

  finish(): Buffer[] {
    this.#cut();
    return this.#chunks;
  }

  bool(value: boolean): void {
    const at = this.#reserve(1);
    this.#buffer[at] = value ? 1 : 0;
  }

  int8(value: number): void {
    const at = this.#reserve(1);
    this.#buffer.writeInt8(value, at);
  }

  int16(value: number): void {
    const at = this.#reserve(2);
    this.#buffer.writeInt16BE(value, at);
  }

  uint16(value: number): void {
    const at = this.#reserve(2);
    this.#buffer.writeUInt16BE(value, at);
  }

  int32(value: number): void {
    const at = this.#reserve(4);
    this.#buffer.writeInt32BE(value, at);
  }

  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  int64(value: number): void {
    const at = this.#reserve(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.#buffer.writeInt32BE(high, at);
    this.#buffer.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
  }

  exact64(value: bigint): void {
    const at = this.#reserve(8);
    this.#buffer.writeBigInt64BE(value, at);
  }

  float64(value: number): void {
    const at = this.#reserve(8);
    this.#buffer.writeDoubleBE(value, at);
  }

  uuid(value: string, path: string): void {
    const decoded = Buffer.from(value, 'base64url');
    if (decoded.length !== 16) this.fail(path, `'${value}' is not a 22-character id`);
    const at = this.#reserve(16);
    decoded.copy(this.#buffer, at);
  }

  uvarint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      const at = this.#reserve(1);
      this.#buffer[at] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    const at = this.#reserve(1);
    this.#buffer[at] = rest;
  }

  string(value: string, flexible: boolean, path: string): void {
    const length = Buffer.byteLength(value);
    if (length > 0x7fff) this.fail(path, `has ${length} bytes, more than the 32767 of a string`);
    if (flexible) this.uvarint(length + 1);
    else this.int16(length);
    const at = this.#reserve(length);
    this.#buffer.write(value, at, length, 'utf8');
  }

  /** Length prefix of bytes, records and arrays. */
  length(length: number, flexible: boolean): void {
    if (flexible) this.uvarint(length + 1);
    else this.int32(length);
  }

  nullString(flexible: boolean): void {
    if (flexible) this.uvarint(0);
    else this.int16(-1);
  }

  bytes(value: Buffer, flexible: boolean): void {
    this.length(value.length, flexible);
    this.#raw(value);
  }

  records(value: Exclude<Records, null>, flexible: boolean): void {
    if (Buffer.isBuffer(value)) {
      this.bytes(value, flexible);
      return;
    }
    let total = 0;
    for (const piece of value) total += piece.length;
    this.length(total, flexible);
    for (const piece of value) this.#raw(piece);
  }

  /** A tagged value: tag, size, then what `write` writes. */
  tagged(tag: number, write: (writer: Writer) => void): void {
    const inner = new Writer(this.#message, 64);
    write(inner);
    this.uvarint(tag);
    this.uvarint(inner.size);
    for (const chunk of inner.finish()) this.#raw(chunk);
  }

  #raw(value: Buffer): void {
    if (value.length >= COPY_BELOW) {
      this.#cut();
      this.#push(value);
      return;
    }
    const at = this.#reserve(value.length);
    value.copy(this.#buffer, at);
  }
}
