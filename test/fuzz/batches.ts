import { updateCrc } from '../../shared/records/batch.ts';
import { BatchBuilder } from '../../shared/records/batch-builder.ts';
import { CODECS, compress, type CodecId } from '../../shared/records/compression.ts';
import * as layout from '../../shared/records/layout.ts';
import { writeMessageSet } from '../../shared/records/message-set.ts';
import { Chance } from './chance.ts';

const CODEC_IDS: readonly CodecId[] = Object.values(CODECS);
/** Decompressed it is within what the broker takes (128 MiB), by far more than what a batch should hold. */
const BOMB_BYTES = 48 << 20;

/** Where the numbers of a batch header stand, with their sizes: what mutations set to bounds. */
const HEADER_FIELDS: readonly (readonly [at: number, size: number])[] = [
  [0, 8],
  [layout.LENGTH_AT, 4],
  [layout.LEADER_EPOCH_AT, 4],
  [layout.MAGIC_AT, 1],
  [layout.CRC_AT, 4],
  [layout.ATTRIBUTES_AT, 2],
  [layout.LAST_OFFSET_DELTA_AT, 4],
  [layout.BASE_TIMESTAMP_AT, 8],
  [layout.MAX_TIMESTAMP_AT, 8],
  [layout.PRODUCER_ID_AT, 8],
  [layout.PRODUCER_EPOCH_AT, 2],
  [layout.BASE_SEQUENCE_AT, 4],
  [layout.RECORD_COUNT_AT, 4],
];

/** Record batches, well-formed and wrong in the ways that the format allows; built once, drawn often. */
export class BatchPool {
  readonly #modern: readonly Buffer[];
  readonly #legacy: readonly Buffer[];
  readonly #bombs: readonly Buffer[];

  constructor(seed: number) {
    const chance = new Chance(seed);
    this.#modern = CODEC_IDS.flatMap(codec => Array.from({ length: 20 }, () => modernBatch(chance, codec)));
    this.#legacy = ([0, 1] as const).flatMap(magic => CODEC_IDS.slice(0, 4).map(codec => legacySet(magic, codec)));
    this.#bombs = CODEC_IDS.slice(1).map(bomb);
  }

  /** Records for a Produce request of this version: mostly of its format, one in three of them wrong. */
  draw(chance: Chance, version: number): Buffer {
    if (chance.oneIn(20_000)) return chance.pick(this.#bombs);
    const isLegacy = version < 3 ? !chance.oneIn(10) : chance.oneIn(20);
    const batch = chance.pick(isLegacy ? this.#legacy : this.#modern);
    if (!chance.oneIn(3)) return batch;
    return mutateBatch(Buffer.from(batch), chance);
  }
}

function modernBatch(chance: Chance, codec: CodecId): Buffer {
  const builder = new BatchBuilder();
  const text = () => (chance.oneIn(5) ? null : chance.bytes(chance.integer(0, chance.oneIn(8) ? 800 : 40)));
  const now = 1_700_000_000_000;
  for (let left = chance.integer(1, 8); left > 0; left--) {
    const headers = chance.several(0, 2, () => ({ key: 'h', value: text() }));
    builder.append(now + chance.integer(0, 1000), text(), text(), headers);
  }
  const isIdempotent = chance.oneIn(4);
  const producer = isIdempotent ? { producerId: chance.integer(0, 20), producerEpoch: 0, baseSequence: 0 } : {};
  return builder.build({ codec, ...producer, isTransactional: chance.oneIn(20), isControl: chance.oneIn(20) });
}

function legacySet(magic: 0 | 1, codec: CodecId): Buffer {
  const messages = [0, 1, 2].map(offset => ({
    offset,
    timestamp: magic === 0 ? -1 : 1_700_000_000_000,
    timestampType: 0 as const,
    key: offset === 1 ? null : Buffer.from('key'),
    value: Buffer.from(`value ${offset}`),
  }));
  return writeMessageSet(messages, magic, codec);
}

/** One batch whose records, decompressed, are zeros without end. */
function bomb(codec: CodecId): Buffer {
  const builder = new BatchBuilder();
  builder.append(1_700_000_000_000, null, Buffer.alloc(BOMB_BYTES));
  return builder.build({ codec });
}

function mutateBatch(batch: Buffer, chance: Chance): Buffer {
  switch (chance.integer(0, 6)) {
    case 0:
      return batch.subarray(0, chance.integer(0, batch.length));
    case 1:
      return Buffer.concat([batch, chance.oneIn(2) ? batch : chance.bytes(chance.integer(1, 30))]);
    case 2:
      return withNoise(batch, chance, 0);
    case 3:
      return resealed(withNoise(batch, chance, layout.HEADER_SIZE));
    case 4:
      return recompressed(batch, chance);
    default:
      return withHeaderField(batch, chance);
  }
}

/** A number of the header set to a bound or moved by one, with a checksum that is right as often as not. */
function withHeaderField(batch: Buffer, chance: Chance): Buffer {
  const [at, size] = chance.pick(HEADER_FIELDS);
  if (at + size > batch.length) return batch;
  const bits = size * 8;
  let value = 0n;
  for (const byte of batch.subarray(at, at + size)) value = (value << 8n) | BigInt(byte);
  const bounds = [value + 1n, value - 1n, 0n, -1n, 2n, (1n << BigInt(bits - 1)) - 1n, 1n << BigInt(bits - 1)];
  const changed = BigInt.asUintN(64, chance.pick(bounds));
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(changed);
  bytes.copy(batch, at, 8 - size);
  return chance.oneIn(2) ? resealed(batch) : batch;
}

function withNoise(batch: Buffer, chance: Chance, from: number): Buffer {
  if (batch.length <= from) return batch;
  for (let left = chance.integer(1, 4); left > 0; left--) {
    batch[chance.integer(from, batch.length - 1)] = chance.pick([0, 1, 0x7f, 0x80, 0xff, chance.integer(0, 255)]);
  }
  return batch;
}

/** Noise, or records that lie about their lengths, in a compressed form that is as it should be. */
function recompressed(batch: Buffer, chance: Chance): Buffer {
  if (batch.length < layout.HEADER_SIZE) return batch;
  const codec = chance.pick(CODEC_IDS);
  const noise = chance.pick([Buffer.alloc(0), chance.bytes(50), Buffer.alloc(64, 0xff), Buffer.alloc(64, 0x80)]);
  const whole = Buffer.concat([batch.subarray(0, layout.HEADER_SIZE), compress(codec, noise)]);
  whole.writeInt16BE(codec, layout.ATTRIBUTES_AT);
  whole.writeInt32BE(whole.length - layout.LOG_OVERHEAD, layout.LENGTH_AT);
  return resealed(whole);
}

/** With the checksum that its bytes have, where it is long enough to have one. */
function resealed(batch: Buffer): Buffer {
  const isWhole = batch.length >= layout.HEADER_SIZE && batch.readInt32BE(layout.LENGTH_AT) === batch.length - 12;
  if (isWhole && batch[layout.MAGIC_AT] === 2) updateCrc(batch, 0);
  return batch;
}
