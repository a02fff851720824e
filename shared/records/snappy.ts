import type SnappyModule from 'snappy';
import { tooLarge, undecodable } from './errors.ts';
import { loadedWhenNeeded } from './native-codec.ts';

/**
 * Snappy as Kafka carries it: the stream format of snappy-java (`SnappyOutputStream`), not Snappy's own framing.
 *
 *     82 "SNAPPY" 00 | version: int32 = 1 | oldest reader: int32 = 1 | (length: int32, raw snappy block)*
 *
 * Streams may be concatenated: a header may stand where a block length is expected. A stream without the header is one
 * raw block, which some clients write and snappy-java reads.
 */

const snappy = loadedWhenNeeded<typeof SnappyModule>('snappy', 'snappy');

const HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00, 0, 0, 0, 1, 0, 0, 0, 1]);
const MAGIC = HEADER.subarray(0, 8);
/** snappy-java's block size. */
const BLOCK_SIZE = 32768;
/** Lets the library copy its output into a buffer of V8's instead of wrapping its own: several times faster. */
const COPY_OUTPUT = { copyOutputData: true };

/** Compresses to a stream of 32 KiB blocks. Snappy has no levels. */
export function compressSnappy(bytes: Buffer): Buffer {
  const parts: Buffer[] = [HEADER];
  for (let at = 0; at < bytes.length; at += BLOCK_SIZE) {
    const block = snappy().compressSync(bytes.subarray(at, Math.min(at + BLOCK_SIZE, bytes.length)), COPY_OUTPUT);
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/** Decompresses a stream, or a raw block, to at most `limit` bytes. */
export function decompressSnappy(stream: Buffer, limit: number): Buffer {
  const blocks = startsWithMagic(stream, 0) ? blocksOf(stream) : [stream];
  // Every block says its size up front, so the limit is checked before anything is decompressed.
  let size = 0;
  for (const block of blocks) size += uncompressedLength(block);
  if (size > limit) throw tooLarge('snappy', limit);
  const parts = blocks.map(decompressBlock);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function startsWithMagic(stream: Buffer, at: number): boolean {
  return stream.length >= at + HEADER.length && stream.compare(MAGIC, 0, MAGIC.length, at, at + MAGIC.length) === 0;
}

function blocksOf(stream: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = HEADER.length; at < stream.length;) {
    if (startsWithMagic(stream, at)) {
      at += HEADER.length;
      continue;
    }
    const start = at + 4;
    if (start > stream.length) throw undecodable('snappy', 'the stream is cut off');
    const length = stream.readInt32BE(at);
    if (length < 0 || start + length > stream.length) throw undecodable('snappy', 'the stream is cut off');
    blocks.push(stream.subarray(start, start + length));
    at = start + length;
  }
  return blocks;
}

/** The length that opens a raw block, an unsigned varint of at most 32 bits. */
function uncompressedLength(block: Buffer): number {
  let length = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    const byte = block[i]!;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  throw undecodable('snappy', 'a block does not begin with its length');
}

function decompressBlock(block: Buffer): Buffer {
  const library = snappy();
  try {
    return library.uncompressSync(block, COPY_OUTPUT) as Buffer;
  } catch (error) {
    throw undecodable('snappy', 'a block is malformed', error);
  }
}
