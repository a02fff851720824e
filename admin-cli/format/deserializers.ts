import type { Deserializer } from '../../client/index.ts';
import { serdes } from '../../client/serialization/serdes.ts';

/** Turns the bytes of a key, value or header into what is printed. */
export type PrintedForm = (bytes: Buffer) => Buffer | string;

/** By the last part of Kafka's class names. Text is printed as it came, whatever its encoding. */
const TABLE: Readonly<Record<string, PrintedForm>> = {
  ByteArrayDeserializer: bytes => bytes,
  ByteBufferDeserializer: bytes => bytes,
  BytesDeserializer: bytes => bytes,
  StringDeserializer: bytes => bytes,
  BooleanDeserializer: shown(serdes.boolean),
  ShortDeserializer: shown(serdes.short),
  IntegerDeserializer: shown(serdes.integer),
  LongDeserializer: shown(serdes.long),
  FloatDeserializer: shown(serdes.float, javaNumber),
  DoubleDeserializer: shown(serdes.double, javaNumber),
  UUIDDeserializer: shown(serdes.uuid),
  VoidDeserializer: shown(serdes.void),
};

/** @throws Error naming the classes there are */
export function deserializer(className: string): PrintedForm {
  const name = className.slice(className.lastIndexOf('.') + 1);
  const found = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
  if (found !== undefined) return found;
  throw new Error(`There is no deserializer ${className}; there are: ${Object.keys(TABLE).join(', ')}`);
}

function shown<T>(deserializer: Deserializer<T>, show: (value: T) => string = String): PrintedForm {
  return bytes => show(deserializer.deserialize(bytes, '', []));
}

/** Java shows whole numbers with `.0`. */
function javaNumber(value: number | null): string {
  return Number.isInteger(value) ? value!.toFixed(1) : String(value);
}
