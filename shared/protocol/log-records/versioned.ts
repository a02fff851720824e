import { ProtocolError } from '../errors.ts';
import type { Message } from '../message.ts';

const VERSION_SIZE = 2;

/** A key or value of a coordinator's log: its version as an int16, then the message. @throws ProtocolError */
export function encodeVersioned<In>(message: Message<unknown, In>, value: In, version: number): Buffer {
  const prefix = Buffer.alloc(VERSION_SIZE);
  prefix.writeInt16BE(version);
  return Buffer.concat([prefix, ...message.encode(value, version)]);
}

/** The version that a key or value begins with. @throws ProtocolError when it is shorter than that */
export function versionOf(bytes: Buffer): number {
  if (bytes.length < VERSION_SIZE) throw new ProtocolError(`a record of ${bytes.length} bytes has no version`);
  return bytes.readInt16BE();
}

/** Reads what `encodeVersioned` wrote; bytes are views of the buffer. @throws ProtocolError */
export function decodeVersioned<Out>(message: Message<Out>, bytes: Buffer): Out {
  return message.decode(bytes, versionOf(bytes), VERSION_SIZE);
}
