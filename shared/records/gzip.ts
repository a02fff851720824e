import { gunzipSync, gzipSync } from 'node:zlib';
import { tooLarge, undecodable } from './errors.ts';

const FIRST_CHUNK_MOST = 1 << 20;
const FIRST_CHUNK_LEAST = 1 << 10;

/** Compresses to one RFC 1952 member at `level` (1 to 9, or −1 for zlib's default, as in Kafka). */
export function compressGzip(bytes: Buffer, level = -1): Buffer {
  return gzipSync(bytes, { level });
}

/** Decompresses one or several members to at most `limit` bytes. */
export function decompressGzip(stream: Buffer, limit: number): Buffer {
  try {
    return gunzipSync(stream, { maxOutputLength: Math.max(limit, 1), chunkSize: firstChunk(stream, limit) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge('gzip', limit);
    throw undecodable('gzip', 'the stream is malformed or cut off', error);
  }
}

/** A member ends with its uncompressed size: a good size for the first output buffer, within reason. */
function firstChunk(stream: Buffer, limit: number): number {
  const said = stream.length < 4 ? 0 : stream.readUInt32LE(stream.length - 4);
  return Math.max(Math.min(said + 1, FIRST_CHUNK_MOST, limit), FIRST_CHUNK_LEAST);
}
