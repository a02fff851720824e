import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { chunkFor } from './chunk.ts';
import { tooLarge, undecodable } from './errors.ts';

/**
 * Zstandard (RFC 8878) over node:zlib, which stops silently after the first frame and returns what it has of a frame
 * that is cut off. So the frames are delimited here, and each is decompressed by itself.
 */

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** Writers make one frame. Each costs the set-up of a decoder, of which a hostile stream could demand 100,000 a MB. */
const MOST_FRAMES = 1000;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

/** Compresses to one frame at `level` (−131072 to 22, default 3 as in Kafka). */
export function compressZstd(bytes: Buffer, level = 3): Buffer {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return zstdCompressSync(bytes, { params, chunkSize: chunkFor(bytes.length) });
}

/** Decompresses one or several frames to at most `limit` bytes. */
export function decompressZstd(stream: Buffer, limit: number): Buffer {
  const parts: Buffer[] = [];
  let size = 0;
  for (let at = 0; at < stream.length;) {
    const end = frameEnd(stream, at);
    if (!isSkippable(stream, at)) {
      const part = decompressFrame(stream.subarray(at, end), limit - size, limit);
      size += part.length;
      if (size > limit) throw tooLarge('zstd', limit); // no room left, which node:zlib cannot be told
      parts.push(part);
      if (parts.length > MOST_FRAMES) throw undecodable('zstd', `there are more than ${MOST_FRAMES} frames`);
    }
    at = end;
  }
  if (parts.length === 0) throw undecodable('zstd', 'there is no frame');
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, size);
}

function decompressFrame(frame: Buffer, room: number, limit: number): Buffer {
  const chunkSize = chunkFor(Math.min(contentSize(frame) ?? frame.length * 4, room));
  try {
    return zstdDecompressSync(frame, { maxOutputLength: Math.max(room, 1), chunkSize });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge('zstd', limit);
    throw undecodable('zstd', 'a frame is malformed', error);
  }
}

function isSkippable(stream: Buffer, at: number): boolean {
  return (stream.readUInt32LE(at) & 0xffff_fff0) >>> 0 === SKIPPABLE_MAGIC;
}

/** Where the frame that begins at `at` ends (RFC 8878 §3.1.1, §3.1.2). */
function frameEnd(stream: Buffer, at: number): number {
  need(stream, at + 8);
  if (isSkippable(stream, at)) return need(stream, at + 8 + stream.readUInt32LE(at + 4));
  if (stream.readUInt32LE(at) !== FRAME_MAGIC) throw undecodable('zstd', 'the frame magic is missing');
  const descriptor = stream[at + 4]!;
  let position = at + 5 + headerSizeAfterDescriptor(descriptor);
  for (let last = false; !last;) {
    need(stream, position + 3);
    const block = stream.readUIntLE(position, 3);
    const type = (block >> 1) & 3;
    if (type === BLOCK_RESERVED) throw undecodable('zstd', 'a block has a reserved type');
    position += 3 + (type === BLOCK_RLE ? 1 : block >> 3);
    last = (block & 1) === 1;
  }
  const hasChecksum = (descriptor & 0x04) !== 0;
  return need(stream, position + (hasChecksum ? 4 : 0));
}

/** The content's size as the header of a whole frame tells it; undefined if it does not. */
function contentSize(frame: Buffer): number | undefined {
  const descriptor = frame[4]!;
  const at = 5 + headerSizeAfterDescriptor(descriptor);
  switch (descriptor >> 6) {
    case 0:
      return descriptor & 0x20 ? frame[at - 1]! : undefined;
    case 1:
      return frame.readUInt16LE(at - 2) + 256;
    case 2:
      return frame.readUInt32LE(at - 4);
    default:
      return undefined; // 4 GiB or more, or not worth its 8 bytes
  }
}

/** The bytes of window descriptor, dictionary id and content size. */
function headerSizeAfterDescriptor(descriptor: number): number {
  const singleSegment = (descriptor & 0x20) !== 0;
  const window = singleSegment ? 0 : 1;
  const dictionaryId = [0, 1, 2, 4][descriptor & 3]!;
  const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  return window + dictionaryId + contentSize;
}

function need(stream: Buffer, end: number): number {
  if (end > stream.length) throw undecodable('zstd', 'a frame is cut off');
  return end;
}
