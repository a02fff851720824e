import type { ReceivedHeader } from '../consumer/record.ts';
import type { Header } from '../producer/record.ts';
import { SerializationError, type Serde } from './serde.ts';

/**
 * Lists, in one of two forms (KIP-466):
 *
 *     0 · int32 nulls · int32 index … · int32 entries · entry …             entries of one size; the indexes are of nulls
 *     1 · int32 entries · (int32 length · entry) …                          any others; a null has the length -1
 */
const CONSTANT_SIZE = 0;
const VARIABLE_SIZE = 1;
const NULL_ENTRY = -1;

/** Of entries that `inner` knows; those that it has a constant size for take Kafka's first form, and the others its second. */
export function listSerde<T>(inner: Serde<T>): Serde<T[] | null> {
  return {
    serialize(data: readonly T[] | null, topic: string, headers: Header[]): Buffer | null {
      if (data === null) return null;
      if (!Array.isArray(data)) throw new SerializationError(`a list is wanted, not ${typeof data}`);
      const entries = data.map(entry => (entry === null ? null : inner.serialize(entry as T, topic, headers)));
      return inner.size === undefined ? variable(entries) : constant(entries);
    },
    deserialize(data: Buffer | null, topic: string, headers: readonly ReceivedHeader[]): T[] | null {
      if (data === null) return null;
      return split(data, inner.size).map(entry =>
        entry === null ? (null as T) : inner.deserialize(entry, topic, headers),
      );
    },
  };
}

function constant(entries: readonly (Buffer | null)[]): Buffer {
  const nulls = entries.flatMap((entry, index) => (entry === null ? [index] : []));
  const head = [nulls.length, ...nulls, entries.length].map(int32);
  return Buffer.concat([Buffer.from([CONSTANT_SIZE]), ...head, ...entries.filter(entry => entry !== null)]);
}

function variable(entries: readonly (Buffer | null)[]): Buffer {
  const parts = entries.flatMap(entry => (entry === null ? [int32(NULL_ENTRY)] : [int32(entry.length), entry]));
  return Buffer.concat([Buffer.from([VARIABLE_SIZE]), int32(entries.length), ...parts]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** The entries' bytes, views of the list's. What is behind the last one is left alone, as in Kafka. */
function split(data: Buffer, size: number | undefined): (Buffer | null)[] {
  const reader = new Reader(data);
  const strategy = reader.take(1)[0];
  if (strategy !== CONSTANT_SIZE && strategy !== VARIABLE_SIZE)
    throw new SerializationError(`Invalid serialization strategy flag value: ${strategy}`);
  if (strategy === VARIABLE_SIZE) {
    return reader.repeat(() => {
      const length = reader.int32();
      return length === NULL_ENTRY ? null : reader.take(length);
    });
  }
  if (size === undefined)
    throw new SerializationError('The list has entries of a constant size, and those of its deserializer have none');
  const nulls = new Set(reader.repeat(() => reader.int32()));
  return reader.repeat(index => (nulls.has(index) ? null : reader.take(size)));
}

class Reader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  take(length: number): Buffer {
    if (length < 0) throw new SerializationError(`An entry of the list has the length ${length}`);
    if (length > this.#data.length - this.#at)
      throw new SerializationError('End of the stream was reached prematurely: the list is cut off');
    return this.#data.subarray(this.#at, (this.#at += length));
  }

  int32(): number {
    return this.take(4).readInt32BE();
  }

  /** As often as the next int32 says; more often than there are bytes it cannot be meant. */
  repeat<R>(next: (index: number) => R): R[] {
    const count = this.int32();
    if (count < 0 || count > this.#data.length)
      throw new SerializationError(`A list of ${this.#data.length} bytes does not have ${count} entries`);
    const all: R[] = [];
    for (let index = 0; index < count; index++) all.push(next(index));
    return all;
  }
}
