import { SerializationError } from './serde.ts';

/** What Kafka writes as text, bytes as they are, and what has next to no bytes. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** UTF-8; bytes that are none become U+FFFD, as in Java. */
export const stringSerde = {
  serialize(data: string | null): Buffer | null {
    if (data === null || typeof data === 'string') return data === null ? null : Buffer.from(data);
    throw new SerializationError(`a string is wanted, not ${typeof data}`);
  },
  deserialize: (data: Buffer | null): string | null => (data === null ? null : data.toString()),
};

/** The 36 characters of a UUID in small letters. */
export const uuidSerde = {
  size: 36,
  serialize(data: string | null): Buffer | null {
    return data === null ? null : Buffer.from(uuid(data));
  },
  deserialize(data: Buffer | null): string | null {
    return data === null ? null : uuid(data.toString('latin1'));
  },
};

function uuid(text: string): string {
  if (UUID.test(text)) return text.toLowerCase();
  throw new SerializationError(`Error parsing data into UUID: ${JSON.stringify(text.slice(0, 80))} is none`);
}

/** JSON text in UTF-8, null being Kafka's null. @typeParam T what the values are taken to be: nothing checks it */
export function jsonSerde<T = unknown>() {
  return {
    serialize(data: T | null): Buffer | null {
      if (data === null) return null;
      const text = JSON.stringify(data) as string | undefined;
      if (text === undefined) throw new SerializationError(`there is no JSON for ${typeof data}`);
      return Buffer.from(text);
    },
    deserialize(data: Buffer | null): T | null {
      if (data === null) return null;
      try {
        return JSON.parse(data.toString()) as T | null;
      } catch (error) {
        throw new SerializationError(`Error parsing data as JSON: ${(error as Error).message}`, { cause: error });
      }
    },
  };
}

/** Bytes as they are (Kafka: byte[] and Bytes), without a copy: what is sent must not be changed until it is acknowledged. */
export const bytesSerde = {
  serialize(data: Uint8Array | null): Buffer | null {
    return data === null ? null : bufferSerde.serialize(data);
  },
  deserialize: (data: Buffer | null): Buffer | null => data,
};

/** The same for whatever else holds bytes: a DataView, an array of floats, an ArrayBuffer (Kafka: ByteBuffer). */
export const bufferSerde = {
  serialize(data: ArrayBuffer | ArrayBufferView | null): Buffer | null {
    if (data === null || Buffer.isBuffer(data)) return data;
    if (data instanceof ArrayBuffer) return Buffer.from(data);
    if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    throw new SerializationError(`bytes are wanted, not ${typeof data}`);
  },
  deserialize: (data: Buffer | null): Buffer | null => data,
};

export const booleanSerde = {
  serialize: (data: boolean | null): Buffer | null => (data === null ? null : Buffer.from([data ? 1 : 0])),
  deserialize(data: Buffer | null): boolean | null {
    if (data === null) return null;
    if (data.length !== 1)
      throw new SerializationError(`Size of data received by BooleanDeserializer is not 1 but ${data.length} bytes`);
    if (data[0] === 0 || data[0] === 1) return data[0] === 1;
    throw new SerializationError(`Unexpected byte received by BooleanDeserializer: ${data[0]}`);
  },
};

/** Never anything. */
export const voidSerde = {
  serialize(data: null): null {
    if ((data as unknown) === null) return null;
    throw new SerializationError('Data should be null for a VoidSerializer.');
  },
  deserialize(data: Buffer | null): null {
    if (data === null) return null;
    throw new SerializationError('Data should be null for a VoidDeserializer.');
  },
};
