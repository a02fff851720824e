/** Turns the bytes of a key, value or header into what is printed. */
export type Deserializer = (bytes: Buffer) => Buffer | string;

/** By the last part of Kafka's class names. */
const TABLE: Readonly<Record<string, Deserializer>> = {
  ByteArrayDeserializer: bytes => bytes,
  ByteBufferDeserializer: bytes => bytes,
  BytesDeserializer: bytes => bytes,
  StringDeserializer: bytes => bytes,
  BooleanDeserializer: bytes => (sized(bytes, 1).readUInt8() === 1 ? 'true' : 'false'),
  ShortDeserializer: bytes => String(sized(bytes, 2).readInt16BE()),
  IntegerDeserializer: bytes => String(sized(bytes, 4).readInt32BE()),
  LongDeserializer: bytes => String(sized(bytes, 8).readBigInt64BE()),
  FloatDeserializer: bytes => javaNumber(sized(bytes, 4).readFloatBE()),
  DoubleDeserializer: bytes => javaNumber(sized(bytes, 8).readDoubleBE()),
};

/** @throws Error naming the classes there are */
export function deserializer(className: string): Deserializer {
  const name = className.slice(className.lastIndexOf('.') + 1);
  const found = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
  if (found !== undefined) return found;
  throw new Error(`There is no deserializer ${className}; there are: ${Object.keys(TABLE).join(', ')}`);
}

function sized(bytes: Buffer, size: number): Buffer {
  if (bytes.length === size) return bytes;
  throw new Error(`Size of data received by deserializer is not ${size} but ${bytes.length}`);
}

/** Java shows whole numbers with `.0`. */
function javaNumber(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
