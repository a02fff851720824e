import { SerializationError } from './serde.ts';

/** Kafka's forms of numbers: big-endian, two's complement or IEEE 754. */

/** @param name the type as Kafka's class names have it: `Long` of `LongDeserializer` */
function fixed<T>(name: string, size: number, write: (into: Buffer, data: T) => void, read: (from: Buffer) => T) {
  return {
    size,
    serialize(data: T | null): Buffer | null {
      if (data === null) return null;
      const bytes = Buffer.allocUnsafe(size);
      write(bytes, data);
      return bytes;
    },
    deserialize(data: Buffer | null): T | null {
      if (data === null) return null;
      if (data.length !== size)
        throw new SerializationError(
          `Size of data received by ${name}Deserializer is not ${size} but ${data.length} bytes`,
        );
      return read(data);
    },
  };
}

/** Of `bits` bits. @throws SerializationError */
function integer(what: string, data: unknown, bits: number): number {
  const limit = 2 ** (bits - 1);
  if (Number.isInteger(data) && (data as number) >= -limit && (data as number) < limit) return data as number;
  throw new SerializationError(`${what} is an integer from ${-limit} to ${limit - 1}, not ${String(data)}`);
}

function real(what: string, data: unknown): number {
  if (typeof data === 'number') return data;
  throw new SerializationError(`${what} is a number, not ${String(data)}`);
}

function long(data: unknown): bigint {
  const value = Number.isSafeInteger(data) ? BigInt(data as number) : data;
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value;
  throw new SerializationError(
    `a long is a bigint from -(2^63) to 2^63 - 1, or an integer up to 2^53 - 1, not ${String(data)}`,
  );
}

function safe(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new SerializationError(`the long ${value} is no number without loss; read it as a bigint`);
}

export const shortSerde = fixed<number>(
  'Short',
  2,
  (into, data) => into.writeInt16BE(integer('a short', data, 16)),
  from => from.readInt16BE(),
);

export const integerSerde = fixed<number>(
  'Integer',
  4,
  (into, data) => into.writeInt32BE(integer('an integer', data, 32)),
  from => from.readInt32BE(),
);

export const longSerde = fixed<bigint>(
  'Long',
  8,
  (into, data) => into.writeBigInt64BE(long(data)),
  from => from.readBigInt64BE(),
);

/** The same bytes for those who know that their longs are below 2^53; others are refused. */
export const longNumberSerde = fixed<number>(
  'Long',
  8,
  (into, data) => into.writeBigInt64BE(long(data)),
  from => safe(from.readBigInt64BE()),
);

/** Rounded to what 32 bits hold. */
export const floatSerde = fixed<number>(
  'Float',
  4,
  (into, data) => into.writeFloatBE(real('a float', data)),
  from => from.readFloatBE(),
);

export const doubleSerde = fixed<number>(
  'Double',
  8,
  (into, data) => into.writeDoubleBE(real('a double', data)),
  from => from.readDoubleBE(),
);
