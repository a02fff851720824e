import { ProtocolError } from './errors.ts';

/**
 * Reads primitives from a buffer it does not own. Every length is checked against what is left before anything is
 * allocated. `path` names the field for the error message.
 */
export class Reader {
  readonly buffer: Buffer;
  readonly #message: string;
  position: number;

  constructor(buffer: Buffer, position: number, message: string) {
    this.buffer = buffer;
    this.position = position;
    this.#message = message;
  }

  get remaining(): number {
    return this.buffer.length - this.position;
  }

  fail(path: string, reason: string): never {
    throw new ProtocolError(`${this.#message}: ${path === '' ? '' : `${path}: `}${reason}`);
  }

  #take(size: number, path: string): number {
    const at = this.position;
    if (size > this.buffer.length - at)
      this.fail(path, `needs ${size} bytes where ${this.buffer.length - at} are left`);
    this.position = at + size;
    return at;
  }

  bool(path: string): boolean {
    return this.buffer[this.#take(1, path)] !== 0;
  }

  int8(path: string): number {
    return this.buffer.readInt8(this.#take(1, path));
  }

  int16(path: string): number {
    return this.buffer.readInt16BE(this.#take(2, path));
  }

  uint16(path: string): number {
    return this.buffer.readUInt16BE(this.#take(2, path));
  }

  int32(path: string): number {
    return this.buffer.readInt32BE(this.#take(4, path));
  }

  uint32(path: string): number {
    return this.buffer.readUInt32BE(this.#take(4, path));
  }

  int64(path: string): number {
    const at = this.#take(8, path);
    const high = this.buffer.readInt32BE(at);
    const low = this.buffer.readUInt32BE(at + 4);
    const value = high * 0x1_0000_0000 + low;
    if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
    return value < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : value;
  }

  exact64(path: string): bigint {
    return this.buffer.readBigInt64BE(this.#take(8, path));
  }

  float64(path: string): number {
    return this.buffer.readDoubleBE(this.#take(8, path));
  }

  uuid(path: string): string {
    const at = this.#take(16, path);
    return this.buffer.toString('base64url', at, at + 16);
  }

  uvarint(path: string): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.#take(1, path)]!;
      // The fifth group may carry 4 bits only: shifting it would overflow, multiplying does not.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value > 0xffffffff ? this.fail(path, 'a varint above 32 bits') : value;
    }
    return this.fail(path, 'a varint longer than 5 bytes');
  }

  /** A length prefix: -1 for null, which only `nullable` allows. */
  #length(flexible: boolean, short: boolean, nullable: boolean, path: string): number {
    const length = flexible ? this.uvarint(path) - 1 : short ? this.int16(path) : this.int32(path);
    if (length < -1) this.fail(path, `has the negative length ${length}`);
    if (length === -1 && !nullable) this.fail(path, 'is null, which this version does not allow');
    return length;
  }

  string(flexible: boolean, nullable: boolean, path: string): string | null {
    const length = this.#length(flexible, true, nullable, path);
    if (length < 0) return null;
    if (length > 0x7fff) this.fail(path, `has ${length} bytes, more than the 32767 of a string`);
    const at = this.#take(length, path);
    return this.buffer.toString('utf8', at, at + length);
  }

  bytes(flexible: boolean, nullable: boolean, path: string): Buffer | null {
    const length = this.#length(flexible, false, nullable, path);
    if (length < 0) return null;
    const at = this.#take(length, path);
    return this.buffer.subarray(at, at + length);
  }

  /** @param elementSize least encoded size of an element in bytes, which bounds how many there can be */
  arrayLength(flexible: boolean, nullable: boolean, elementSize: number, path: string): number {
    const length = this.#length(flexible, false, nullable, path);
    if (length * elementSize > this.remaining)
      this.fail(path, `claims ${length} elements where ${this.remaining} bytes are left`);
    return length;
  }

  /** Whether a nullable struct is there. */
  present(path: string): boolean {
    const marker = this.int8(path);
    if (marker !== 1 && marker !== -1)
      this.fail(path, `starts with ${marker} where 1 (present) or -1 (null) is allowed`);
    return marker === 1;
  }

  /** End position of a tagged value of the size that follows. */
  tagEnd(path: string): number {
    const size = this.uvarint(path);
    if (size > this.remaining) this.fail(path, `a tagged field claims ${size} bytes where ${this.remaining} are left`);
    return this.position + size;
  }
}
