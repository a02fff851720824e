import type { Dispatcher } from '../request/handler.ts';

/** The one API that may be asked for in any version: its answer tells which versions there are (KIP-511). */
const API_VERSIONS_KEY = 18;
/** api key, api version, correlation id. */
const SHORTEST_HEADER_BYTES = 8;
/** A TLS record of type handshake, version 3.x: `16 03`. */
const TLS_HANDSHAKE = 0x1603;

/** Why no frame may have that size, or null. */
export function frameSizeFault(size: number, maxRequestBytes: number): string | null {
  if (size > maxRequestBytes) {
    const hint = size >>> 16 === TLS_HANDSHAKE ? ' (a TLS handshake on a plaintext listener?)' : '';
    return `its request is ${size} bytes long, socket.request.max.bytes allows ${maxRequestBytes}${hint}`;
  }
  if (size < 0) return `the size of its request is negative (${size})`;
  if (size < SHORTEST_HEADER_BYTES) return `its request is ${size} bytes long, too short for a header`;
  return null;
}

/** Why nobody can answer the request, or null. There is no error response for it: Kafka closes the connection. */
export function headerFault(frame: Buffer, dispatcher: Dispatcher): string | null {
  const apiKey = frame.readInt16BE(0);
  const version = frame.readInt16BE(2);
  const handler = dispatcher.handlerFor(apiKey);
  if (handler === undefined) return `it asks for an API with key ${apiKey}, which is not served`;
  const { min, max } = handler.versions;
  if (apiKey === API_VERSIONS_KEY || (version >= min && version <= max)) return null;
  return `it asks for version ${version} of ${handler.api.name}, served are ${min} to ${max}`;
}
