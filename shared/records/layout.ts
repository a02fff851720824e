/**
 * Where the fields of a record batch stand. Magic 2, all integers big-endian:
 *
 *      0 baseOffset: int64           21 attributes: int16        43 producerId: int64
 *      8 batchLength: int32          23 lastOffsetDelta: int32   51 producerEpoch: int16
 *     12 partitionLeaderEpoch: int32 27 baseTimestamp: int64     53 baseSequence: int32
 *     16 magic: int8                 35 maxTimestamp: int64      57 recordCount: int32
 *     17 crc: uint32, CRC-32C of what follows                    61 records
 *
 * Magic 0 and 1, one message an entry (a compressed one holds a set of them in its value):
 *
 *      0 offset: int64   12 crc: uint32, CRC-32 of what follows   17 attributes: int8
 *      8 size: int32     16 magic: int8                           18 [magic 1: timestamp: int64], key, value
 *
 * The first 12 bytes and the place of the magic are common to all.
 */

/** The base offset and the length field: what the length does not count. */
export const LOG_OVERHEAD = 12;
/** The header of a magic 2 batch, and so the least size of one. */
export const HEADER_SIZE = 61;
/** How much of an entry must be there to know its size and its format. */
export const SIZE_UP_TO_MAGIC = 17;

export const LENGTH_AT = 8;
export const LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const RECORD_COUNT_AT = 57;

export const LEGACY_CRC_AT = 12;
export const LEGACY_ATTRIBUTES_AT = 17;
export const LEGACY_TIMESTAMP_AT = 18;

export const CODEC_MASK = 0x07;
export const LOG_APPEND_TIME_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;
export const DELETE_HORIZON_BIT = 0x40;

/** The least size of an entry, by magic. */
export const LEAST_SIZE: readonly number[] = [LOG_OVERHEAD + 14, LOG_OVERHEAD + 22, HEADER_SIZE];

export const NO_TIMESTAMP = -1;
export const NO_PRODUCER_ID = -1;
export const NO_SEQUENCE = -1;
export const NO_LEADER_EPOCH = -1;
