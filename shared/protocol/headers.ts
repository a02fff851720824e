import { API_KEYS } from './api-keys.ts';
import type { Api, RequestInput } from './api.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** The fields that precede every request's body. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  /** null when the client sent none. */
  readonly clientId: string | null;
  /** Where the body begins in the frame. */
  readonly bodyOffset: number;
}

/** ApiVersions answers always with the oldest header, and ControlledShutdown 0 came with the oldest one. */
const API_VERSIONS_KEY = 18;
const CONTROLLED_SHUTDOWN_KEY = 7;

/**
 * Decodes the header of a request.
 * @param frame the frame without its size
 * @throws ProtocolError
 */
export function decodeRequestHeader(frame: Buffer): RequestHeader {
  const reader = new Reader(frame, 0, 'request header');
  const apiKey = reader.int16('apiKey');
  const apiVersion = reader.int16('apiVersion');
  const correlationId = reader.int32('correlationId');
  if (apiKey === CONTROLLED_SHUTDOWN_KEY && apiVersion === 0) {
    return { apiKey, apiVersion, correlationId, clientId: null, bodyOffset: reader.position };
  }
  const clientId = reader.string(false, true, 'clientId');
  const since = API_KEYS.get(apiKey)?.flexibleSince;
  if (since !== null && since !== undefined && apiVersion >= since) skipTags(reader);
  return { apiKey, apiVersion, correlationId, clientId, bodyOffset: reader.position };
}

function skipTags(reader: Reader): void {
  for (let count = reader.uvarint('tagged fields'); count > 0; count--) {
    reader.uvarint('tagged fields');
    reader.position = reader.tagEnd('tagged fields');
  }
}

function isFlexible(api: Pick<Api, 'flexibleSince'>, version: number): boolean {
  return api.flexibleSince !== null && version >= api.flexibleSince;
}

/** A request's frame with its size and header, as a list of chunks. @throws ProtocolError for a value the version cannot carry */
export function encodeRequestFrame<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  request: RequestInput<A>,
): Buffer[] {
  const writer = new Writer('request header', 64);
  writer.int32(0, 'size');
  writer.int16(api.key, 'apiKey');
  writer.int16(version, 'apiVersion');
  writer.int32(correlationId, 'correlationId');
  if (!(api.key === CONTROLLED_SHUTDOWN_KEY && version === 0)) {
    if (clientId === null) writer.nullString(false);
    else writer.string(clientId, false, 'clientId');
    if (isFlexible(api, version)) writer.uvarint(0);
  }
  return framed(writer, api.request.encode(request, version));
}

/** A response's frame with its size and header, as a list of chunks. */
export function encodeResponseFrame(
  api: Pick<Api, 'key' | 'flexibleSince'>,
  version: number,
  correlationId: number,
  body: readonly Buffer[],
): Buffer[] {
  const writer = new Writer('response header', 16);
  writer.int32(0, 'size');
  writer.int32(correlationId, 'correlationId');
  if (api.key !== API_VERSIONS_KEY && isFlexible(api, version)) writer.uvarint(0);
  return framed(writer, body);
}

function framed(writer: Writer, body: readonly Buffer[]): Buffer[] {
  const chunks = writer.finish();
  let size = -4;
  for (const chunk of chunks) size += chunk.length;
  for (const chunk of body) size += chunk.length;
  chunks[0]!.writeInt32BE(size, 0);
  return [...chunks, ...body];
}

/** The correlation id of a response's frame (without size), and where its body begins. @throws ProtocolError */
export function decodeResponseHeader(
  api: Api,
  version: number,
  frame: Buffer,
): { correlationId: number; bodyOffset: number } {
  const reader = new Reader(frame, 0, 'response header');
  const correlationId = reader.int32('correlationId');
  if (api.key !== API_VERSIONS_KEY && isFlexible(api, version)) skipTags(reader);
  return { correlationId, bodyOffset: reader.position };
}
