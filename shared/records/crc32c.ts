import { createRequire } from 'node:module';

/**
 * CRC-32C (Castagnoli, RFC 3720 B.4), the checksum of record batches and producer snapshots. A native implementation
 * does the large ranges; below `NATIVE_FROM` bytes crossing into it costs more than it saves. Where it does not load
 * (an architecture without a prebuilt binary), the portable one does everything.
 */

const POLYNOMIAL = 0x82f63b78;
const SLICES = 16;
/** Measured break-even: a native call costs about as much as the portable code needs for this many bytes. */
const NATIVE_FROM = 192;

type NativeCrc = (bytes: Uint8Array) => number;

/**
 * Slice-by-16 tables (Intel's method): `TABLES[s * 256 + b]` is the CRC of byte `b` followed by `s` zero bytes, so that
 * sixteen input bytes take sixteen independent look-ups instead of a chain of sixteen.
 */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const previous = tables[i - 256]!;
    tables[i] = (previous >>> 8) ^ tables[previous & 0xff]!;
  }
  return tables;
}

const native = loadNative();

function loadNative(): NativeCrc | undefined {
  try {
    const require = createRequire(import.meta.url);
    return (require('@node-rs/crc32') as { crc32c: NativeCrc }).crc32c;
  } catch {
    return undefined;
  }
}

/** The CRC-32C of `bytes[start, end)` as an unsigned 32-bit number. The caller has checked the range. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  if (native === undefined || end - start < NATIVE_FROM) return portableCrc32c(bytes, start, end);
  return native(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start));
}

/** The same without native code. */
export function portableCrc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const t = TABLES;
  let crc = -1;
  let i = start;
  for (const lastWhole = end - SLICES; i <= lastWhole; i += SLICES) {
    crc =
      t[3840 + (bytes[i]! ^ (crc & 0xff))]! ^
      t[3584 + (bytes[i + 1]! ^ ((crc >>> 8) & 0xff))]! ^
      t[3328 + (bytes[i + 2]! ^ ((crc >>> 16) & 0xff))]! ^
      t[3072 + (bytes[i + 3]! ^ (crc >>> 24))]! ^
      t[2816 + bytes[i + 4]!]! ^
      t[2560 + bytes[i + 5]!]! ^
      t[2304 + bytes[i + 6]!]! ^
      t[2048 + bytes[i + 7]!]! ^
      t[1792 + bytes[i + 8]!]! ^
      t[1536 + bytes[i + 9]!]! ^
      t[1280 + bytes[i + 10]!]! ^
      t[1024 + bytes[i + 11]!]! ^
      t[768 + bytes[i + 12]!]! ^
      t[512 + bytes[i + 13]!]! ^
      t[256 + bytes[i + 14]!]! ^
      t[bytes[i + 15]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
