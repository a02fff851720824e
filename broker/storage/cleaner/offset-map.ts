import { hash } from 'node:crypto';

/** Bytes of memory for each slot: 16 of the key's hash, 8 of the offset. */
export const SLOT_BYTES = 24;
/** Int32 of a key's hash. */
const HASH_WORDS = 4;
/** More would not fit into one array. */
const MAX_MEMORY = 2 ** 31;

/**
 * The latest offset of each key in the part of a log that is to be cleaned (Kafka: `SkimpyOffsetMap`). Of a key only its
 * MD5 is kept; two keys of one hash would be taken for the same, which does not happen by chance. Open addressing:
 *
 *     #hashes   [ h0 h1 h2 h3 │ 0 0 0 0 │ h0 h1 h2 h3 │ … ]     16 bytes a slot
 *     #offsets  [    1043     │    0    │     17      │ … ]      8 bytes a slot: offset + 1; 0 = free
 *
 * A key's slot is the first one, from `h0 modulo slots` on, that holds its hash or is free.
 */
export class OffsetMap {
  readonly slots: number;
  readonly #hashes: Int32Array;
  readonly #offsets: Float64Array;
  #size = 0;
  #h0 = 0;
  #h1 = 0;
  #h2 = 0;
  #h3 = 0;
  /** Everything up to and including this offset has been taken in; -1: nothing yet. */
  latestOffset = -1;

  /** @param slots how many keys there is room for, at least 1 */
  constructor(slots: number) {
    const memory = new ArrayBuffer(slots * SLOT_BYTES);
    this.slots = slots;
    this.#offsets = new Float64Array(memory, 0, slots);
    this.#hashes = new Int32Array(memory, slots * 8, slots * HASH_WORDS);
  }

  /** Keys held. */
  get size(): number {
    return this.#size;
  }

  /** Notes that `key` is at `offset`. There must be a free slot. */
  put(key: Uint8Array, offset: number): void {
    const slot = this.#slotOf(key);
    if (this.#offsets[slot] === 0) {
      this.#size++;
      this.#setHash(slot * HASH_WORDS);
    }
    if (offset >= this.#offsets[slot]!) this.#offsets[slot] = offset + 1;
  }

  /** The latest offset of `key`, -1 when it is not here. */
  get(key: Uint8Array): number {
    return this.#offsets[this.#slotOf(key)]! - 1;
  }

  #slotOf(key: Uint8Array): number {
    this.#hash(key);
    let slot = (this.#h0 >>> 0) % this.slots;
    while (this.#offsets[slot] !== 0 && !this.#isHashAt(slot * HASH_WORDS))
      slot = slot + 1 === this.slots ? 0 : slot + 1;
    return slot;
  }

  #hash(key: Uint8Array): void {
    // As a string: making a Buffer of it takes longer than the hashing.
    const digest = hash('md5', key, 'binary');
    this.#h0 = wordAt(digest, 0);
    this.#h1 = wordAt(digest, 4);
    this.#h2 = wordAt(digest, 8);
    this.#h3 = wordAt(digest, 12);
  }

  #isHashAt(at: number): boolean {
    const hashes = this.#hashes;
    return (
      hashes[at] === this.#h0 &&
      hashes[at + 1] === this.#h1 &&
      hashes[at + 2] === this.#h2 &&
      hashes[at + 3] === this.#h3
    );
  }

  #setHash(at: number): void {
    this.#hashes[at] = this.#h0;
    this.#hashes[at + 1] = this.#h1;
    this.#hashes[at + 2] = this.#h2;
    this.#hashes[at + 3] = this.#h3;
  }
}

function wordAt(digest: string, at: number): number {
  return (
    (digest.charCodeAt(at) << 24) |
    (digest.charCodeAt(at + 1) << 16) |
    (digest.charCodeAt(at + 2) << 8) |
    digest.charCodeAt(at + 3)
  );
}

/**
 * How many slots a map should have: no more than the memory allows, nor than a log of `records` records can fill.
 * @param loadFactor the part of the slots that is filled at most, above 0
 */
export function slotsFor(records: number, memoryBytes: number, loadFactor: number): number {
  const affordable = Math.floor(Math.min(memoryBytes, MAX_MEMORY) / SLOT_BYTES);
  return Math.max(1, Math.min(affordable, Math.ceil(records / loadFactor) + 1));
}
