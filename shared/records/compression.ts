import { RecordsError } from './errors.ts';
import { compressGzip, decompressGzip } from './gzip.ts';
import { compressLz4, decompressLz4 } from './lz4.ts';
import { compressSnappy, decompressSnappy } from './snappy.ts';
import { compressZstd, decompressZstd } from './zstd.ts';

/** The codecs by name, as in `compression.type`, with the id that the low three attribute bits carry. */
export const CODECS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
export type CodecName = keyof typeof CODECS;
export type CodecId = (typeof CODECS)[CodecName];

/** What decompression yields at most unless the caller says otherwise: more than any sensible batch, less than a bomb. */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 128 << 20;

interface Codec {
  readonly name: CodecName;
  readonly compress: (bytes: Buffer, level: number | undefined) => Buffer;
  readonly decompress: (bytes: Buffer, limit: number) => Buffer;
}

const identity = (bytes: Buffer) => bytes;

const TABLE: Readonly<Record<CodecId, Codec>> = {
  0: { name: 'none', compress: identity, decompress: identity },
  1: { name: 'gzip', compress: compressGzip, decompress: decompressGzip },
  2: { name: 'snappy', compress: bytes => compressSnappy(bytes), decompress: decompressSnappy },
  3: { name: 'lz4', compress: bytes => compressLz4(bytes), decompress: (bytes, limit) => decompressLz4(bytes, limit) },
  4: { name: 'zstd', compress: compressZstd, decompress: decompressZstd },
};

function codec(id: number): Codec {
  const found = (TABLE as Readonly<Record<number, Codec>>)[id];
  if (!found) throw new RecordsError('UNSUPPORTED_COMPRESSION', `There is no compression codec with the id ${id}.`);
  return found;
}

/** The name of codec `id`; throws UNSUPPORTED_COMPRESSION if there is none. */
export function codecName(id: number): CodecName {
  return codec(id).name;
}

/**
 * Compresses `bytes`. `level` is for gzip (1 to 9, −1) and zstd (−131072 to 22), the default being Kafka's; snappy has
 * none and the lz4 library knows only one. With codec 0 the bytes themselves are returned.
 */
export function compress(id: number, bytes: Buffer, level?: number): Buffer {
  return codec(id).compress(bytes, level);
}

/**
 * Decompresses to at most `limit` bytes, else throws TOO_LARGE before having produced much more; throws INVALID for a
 * malformed stream and UNSUPPORTED_COMPRESSION for an unknown codec. With codec 0 the bytes themselves are returned.
 */
export function decompress(id: number, bytes: Buffer, limit = DEFAULT_MAX_DECOMPRESSED_BYTES): Buffer {
  return codec(id).decompress(bytes, limit);
}
