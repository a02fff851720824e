import { ProtocolError } from './errors.ts';
import { isUuid, type Records } from './schema.ts';

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

  bool(value: boolean, path: string): void {
    if (typeof value !== 'boolean') this.fail(path, 'is not a boolean');
    const at = this.#reserve(1);
    this.#buffer[at] = value ? 1 : 0;
  }

  /** Buffer's own writers would let fractions and NaN through. */
  #checkInteger(value: number, min: number, max: number, path: string): void {
    if (!Number.isInteger(value) || value < min || value > max) {
      this.fail(path, `${String(value)} is not an integer from ${min} to ${max}`);
    }
  }

  int8(value: number, path: string): void {
    this.#checkInteger(value, -0x80, 0x7f, path);
    const at = this.#reserve(1);
    this.#buffer[at] = value;
  }

  int16(value: number, path: string): void {
    this.#checkInteger(value, -0x8000, 0x7fff, path);
    this.#write16(value);
  }

  uint16(value: number, path: string): void {
    this.#checkInteger(value, 0, 0xffff, path);
    this.#write16(value);
  }

  #write16(value: number): void {
    const at = this.#reserve(2);
    this.#buffer[at] = value >> 8;
    this.#buffer[at + 1] = value;
  }

  int32(value: number, path: string): void {
    this.#checkInteger(value, -0x8000_0000, 0x7fff_ffff, path);
    this.#write32(this.#reserve(4), value);
  }

  uint32(value: number, path: string): void {
    this.#checkInteger(value, 0, 0xffff_ffff, path);
    this.#write32(this.#reserve(4), value);
  }

  #write32(at: number, value: number): void {
    const buffer = this.#buffer;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
  }

  int64(value: number, path: string): void {
    this.#checkInteger(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, path);
    const at = this.#reserve(8);
    this.#write32(at, Math.floor(value / 0x1_0000_0000));
    this.#write32(at + 4, value >>> 0);
  }

  exact64(value: bigint, path: string): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) {
      this.fail(path, `${String(value)} is not a bigint of 64 bits`);
    }
    const at = this.#reserve(8);
    this.#buffer.writeBigInt64BE(value, at);
  }

  float64(value: number, path: string): void {
    if (typeof value !== 'number') this.fail(path, 'is not a number');
    const at = this.#reserve(8);
    this.#buffer.writeDoubleBE(value, at);
  }

  uuid(value: string, path: string): void {
    if (!isUuid(value)) this.fail(path, `'${value}' is not an id of 22 characters`);
    const at = this.#reserve(16);
    this.#buffer.write(value, at, 16, 'base64url');
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
    if (typeof value !== 'string') this.fail(path, 'is not a string');
    const length = Buffer.byteLength(value);
    if (length > 0x7fff) this.fail(path, `has ${length} bytes, more than the 32767 of a string`);
    if (flexible) this.uvarint(length + 1);
    else this.#write16(length);
    const at = this.#reserve(length);
    this.#buffer.write(value, at, length, 'utf8');
  }

  /** Length prefix of bytes, records and arrays. */
  length(length: number, flexible: boolean): void {
    if (flexible) this.uvarint(length + 1);
    else this.#write32(this.#reserve(4), length);
  }

  nullString(flexible: boolean): void {
    if (flexible) this.uvarint(0);
    else this.#write16(-1);
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
