import { gunzipSync, gzipSync } from 'node:zlib';
import { chunkFor } from './chunk.ts';
import { tooLarge, undecodable } from './errors.ts';

/** Compresses to one RFC 1952 member at `level` (1 to 9, or −1 for zlib's default, as in Kafka). */
export function compressGzip(bytes: Buffer, level = -1): Buffer {
  return gzipSync(bytes, { level, chunkSize: chunkFor(bytes.length) });
}

/** Decompresses one or several members to at most `limit` bytes. */
export function decompressGzip(stream: Buffer, limit: number): Buffer {
  let content;
  try {
    content = gunzipSync(stream, {
      maxOutputLength: Math.max(limit, 1),
      chunkSize: chunkFor(Math.min(saidSize(stream), limit)),
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge('gzip', limit);
    throw undecodable('gzip', 'the stream is malformed or cut off', error);
  }
  if (content.length > limit) throw tooLarge('gzip', limit); // a limit of 0, which node:zlib does not take
  return content;
}

/** A member ends with its uncompressed size: true for all but streams of several members and malicious ones. */
function saidSize(stream: Buffer): number {
  return stream.length < 4 ? 0 : stream.readUInt32LE(stream.length - 4);
}
