import type Lz4Module from 'lz4-napi';
import { tooLarge, undecodable } from './errors.ts';
import { loadedWhenNeeded } from './native-codec.ts';
import { xxHash32Short } from './xxhash32-short.ts';

/**
 * LZ4 frames as Kafka writes and reads them (`Lz4BlockOutputStream`, `Lz4BlockInputStream`):
 *
 *     04 22 4d 18 | FLG BD [content size: 8] HC | (length: 4, little-endian, top bit = stored; bytes; [checksum: 4])* | 00 00 00 00
 *
 * Written: version 01, independent blocks of 64 KiB, nothing optional. A library's frame writer is not used because it
 * picks the block size by the input's and Kafka's readers allocate by it.
 */

const lz4 = loadedWhenNeeded<typeof Lz4Module>('lz4', 'lz4-napi');

const FRAME_MAGIC = 0x184d2204;
const VERSION_MASK = 0xc0;
const VERSION = 0x40;
const FLAG_INDEPENDENT = 0x20;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_RESERVED = 0x02;
const FLAG_DICTIONARY = 0x01;
const STORED = 0x8000_0000;
const BLOCK_SIZE = 65536;
/** Bytes the block API puts before the compressed block: the uncompressed length, little-endian. */
const LENGTH_PREFIX = 4;

const HEADER = frameHeader(4);
/** Before 0.10 the header checksum was computed over the magic too, and old clients insist on it (KAFKA-3160). */
const HEADER_WITH_BROKEN_CHECKSUM = frameHeader(0);
/** No block can grow by more: each byte of a match length stands for at most 255 bytes. */
const MAX_RATIO = 255;
const END_MARK = Buffer.alloc(4);

function frameHeader(checksumFrom: number): Buffer {
  const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, VERSION | FLAG_INDEPENDENT, 0x40, 0]);
  header[6] = (xxHash32Short(header, checksumFrom, 6) >>> 8) & 0xff;
  return header;
}

/** Compresses to one frame; `brokenHeaderChecksum` makes the one that magic 0 demands. The library knows one level. */
export function compressLz4(bytes: Buffer, brokenHeaderChecksum = false): Buffer {
  const parts = [brokenHeaderChecksum ? HEADER_WITH_BROKEN_CHECKSUM : HEADER];
  for (let at = 0; at < bytes.length; at += BLOCK_SIZE) {
    const block = bytes.subarray(at, Math.min(at + BLOCK_SIZE, bytes.length));
    parts.push(frameBlock(block, lz4().compressSync(block)));
  }
  parts.push(END_MARK);
  return Buffer.concat(parts);
}

/** The block with the frame's length field in the place of the library's: both are 4 bytes, so nothing is copied. */
function frameBlock(block: Buffer, compressed: Buffer): Buffer {
  const length = compressed.length - LENGTH_PREFIX;
  if (length < block.length) {
    compressed.writeUInt32LE(length, 0);
    return compressed;
  }
  const stored = Buffer.allocUnsafe(4 + block.length);
  stored.writeUInt32LE(STORED + block.length, 0);
  stored.set(block, 4);
  return stored;
}

/**
 * Decompresses one frame to at most `limit` bytes. What follows the end mark is ignored, as in Kafka. Checksums of
 * blocks and content are skipped: the batch's CRC has covered the bytes. `anyHeaderChecksum` is for magic 0 and 1.
 */
export function decompressLz4(frame: Buffer, limit: number, anyHeaderChecksum = false): Buffer {
  const { flags, blockSize, blocksAt } = readHeader(frame, anyHeaderChecksum);
  const trailer = flags & FLAG_BLOCK_CHECKSUM ? 4 : 0;
  const parts: Buffer[] = [];
  let size = 0;
  let at = blocksAt;
  for (let length; (length = blockLength(frame, at, blockSize)) > 0; at += 4 + length + trailer) {
    const block = frame.subarray(at + 4, at + 4 + length);
    const stored = frame.readUInt32LE(at) >= STORED;
    const content = stored ? block : decompressBlock(block, blockSize, limit - size, limit);
    size += content.length;
    if (size > limit) throw tooLarge('lz4', limit);
    parts.push(content);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, size);
}

interface FrameHeader {
  readonly flags: number;
  /** The most bytes a block may hold, from the BD byte. */
  readonly blockSize: number;
  readonly blocksAt: number;
}

function readHeader(frame: Buffer, anyHeaderChecksum: boolean): FrameHeader {
  if (frame.length < 7 || frame.readUInt32LE(0) !== FRAME_MAGIC) throw undecodable('lz4', 'the frame magic is missing');
  const flags = frame[4]!;
  const descriptor = frame[5]!;
  checkFlags(flags, descriptor);
  const checksumAt = 6 + (flags & FLAG_CONTENT_SIZE ? 8 : 0);
  if (checksumAt >= frame.length) throw undecodable('lz4', 'the frame header is cut off');
  const checksum = (xxHash32Short(frame, 4, checksumAt) >>> 8) & 0xff;
  if (!anyHeaderChecksum && frame[checksumAt] !== checksum)
    throw undecodable('lz4', 'the frame header checksum is wrong');
  return { flags, blockSize: 1 << (8 + 2 * (descriptor >> 4)), blocksAt: checksumAt + 1 };
}

function checkFlags(flags: number, descriptor: number): void {
  if ((flags & VERSION_MASK) !== VERSION) throw undecodable('lz4', 'the frame version is not 1');
  if (!(flags & FLAG_INDEPENDENT)) throw undecodable('lz4', 'the blocks depend on each other');
  if (flags & FLAG_DICTIONARY) throw undecodable('lz4', 'the frame needs a dictionary');
  if (flags & FLAG_RESERVED || descriptor & 0x8f) throw undecodable('lz4', 'reserved bits of the frame header are set');
  if (descriptor >> 4 < 4) throw undecodable('lz4', 'the block size is unknown');
}

/** The length of the block whose length field is at `at`, checked against the frame; 0 is the end mark. */
function blockLength(frame: Buffer, at: number, blockSize: number): number {
  if (at + 4 > frame.length) throw undecodable('lz4', 'the frame is cut off');
  const length = frame.readUInt32LE(at) & 0x7fff_ffff;
  if (length > blockSize) throw undecodable('lz4', 'a block is larger than the frame allows');
  if (at + 4 + length > frame.length) throw undecodable('lz4', 'the frame is cut off');
  return length;
}

/**
 * The library wants the uncompressed length before the block and takes it as the capacity of its output, which a frame
 * does not say: it gets the most that this block can be.
 */
function decompressBlock(block: Buffer, blockSize: number, room: number, limit: number): Buffer {
  const most = Math.min(blockSize, block.length * MAX_RATIO);
  const input = Buffer.allocUnsafe(LENGTH_PREFIX + block.length);
  input.writeUInt32LE(Math.min(most, room), 0);
  input.set(block, LENGTH_PREFIX);
  const library = lz4();
  try {
    return library.uncompressSync(input);
  } catch (error) {
    throw room < most ? tooLarge('lz4', limit) : undecodable('lz4', 'a block is malformed', error);
  }
}
