import type { RecordCursor } from '../../shared/records/record-cursor.ts';
import { readInt64 } from '../../shared/records/int64.ts';
import type { CommittedOffset } from './offset.ts';

/** Layout of a key: version, group, topic, partition; texts begin with their length. */
const VERSION_SIZE = 2;
const LENGTH_SIZE = 2;
const PARTITION_SIZE = 4;
const HIGHEST_KEY_VERSION = 1;
/** Layout of a value: version, offset, from version 3 on the leader epoch, metadata, timestamp, in version 1 the expiry. */
const INT64_SIZE = 8;
const EPOCH_SIZE = 4;
const WITH_EXPIRY = 1;
const WITH_EPOCH = 3;

/**
 * Reads records of committed offsets one after the other into its own fields: a coordinator that takes over may have to read
 * millions, which the tables of `shared/protocol/log-records` would make several objects of each. What does not look like
 * such a record, or like one of a rare kind, is left to them.
 */
export class OffsetRecord implements CommittedOffset {
  groupId = '';
  topic = '';
  partition = -1;
  /** Whether the offset is forgotten; then the fields of `CommittedOffset` say nothing. */
  isTombstone = false;
  offset = -1;
  leaderEpoch = -1;
  metadata = '';
  commitTimestamp = -1;
  expireTimestamp: number | null = null;
  /** The next record is mostly about the same group, and often about the same topic. */
  readonly #group = new LastText();
  readonly #topic = new LastText();

  /** What is committed, for keeping: null for a tombstone. */
  committed(): CommittedOffset | null {
    if (this.isTombstone) return null;
    const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = this;
    return { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp };
  }

  /** Takes over the record at which a cursor stands; false: it is of another kind, and the fields say nothing. */
  read({ bytes, keyStart, keyLength, valueStart, valueLength }: RecordCursor): boolean {
    if (!this.#readKey(bytes, keyStart, keyLength)) return false;
    this.isTombstone = valueLength < 0;
    return this.isTombstone || this.#readValue(bytes, valueStart, valueLength);
  }

  #readKey(bytes: Buffer, at: number, length: number): boolean {
    const textLength = length - VERSION_SIZE - 2 * LENGTH_SIZE - PARTITION_SIZE;
    if (textLength < 0 || bytes.readInt16BE(at) > HIGHEST_KEY_VERSION) return false;
    const groupAt = at + VERSION_SIZE + LENGTH_SIZE;
    const groupLength = bytes.readInt16BE(groupAt - LENGTH_SIZE);
    if (groupLength < 0 || groupLength > textLength) return false;
    const topicAt = groupAt + groupLength + LENGTH_SIZE;
    const topicLength = bytes.readInt16BE(topicAt - LENGTH_SIZE);
    if (groupLength + topicLength !== textLength) return false;
    this.groupId = this.#group.read(bytes, groupAt, groupLength);
    this.topic = this.#topic.read(bytes, topicAt, topicLength);
    this.partition = bytes.readInt32BE(topicAt + topicLength);
    return true;
  }

  #readValue(bytes: Buffer, at: number, length: number): boolean {
    const version = length < VERSION_SIZE ? -1 : bytes.readInt16BE(at);
    if (version < 0 || version > WITH_EPOCH) return false;
    const epochSize = version === WITH_EPOCH ? EPOCH_SIZE : 0;
    const expirySize = version === WITH_EXPIRY ? INT64_SIZE : 0;
    const metadataAt = at + VERSION_SIZE + INT64_SIZE + epochSize;
    const metadataLength = length - (VERSION_SIZE + INT64_SIZE + epochSize + LENGTH_SIZE + INT64_SIZE + expirySize);
    if (metadataLength < 0 || bytes.readInt16BE(metadataAt) !== metadataLength) return false;
    const timestampAt = metadataAt + LENGTH_SIZE + metadataLength;
    this.offset = readInt64(bytes, at + VERSION_SIZE);
    this.leaderEpoch = epochSize === 0 ? -1 : bytes.readInt32BE(at + VERSION_SIZE + INT64_SIZE);
    this.metadata = metadataLength === 0 ? '' : bytes.toString('utf8', metadataAt + LENGTH_SIZE, timestampAt);
    this.commitTimestamp = readInt64(bytes, timestampAt);
    const expireTimestamp = expirySize === 0 ? -1 : readInt64(bytes, timestampAt + INT64_SIZE);
    this.expireTimestamp = expireTimestamp === -1 ? null : expireTimestamp;
    return true;
  }
}

/** A text that is not made anew as long as it is the same. */
class LastText {
  #text = '';
  #bytes = Buffer.alloc(256);
  #length = 0;

  read(bytes: Buffer, at: number, length: number): string {
    if (this.#isSame(bytes, at, length)) return this.#text;
    if (length > this.#bytes.length) this.#bytes = Buffer.alloc(length);
    bytes.copy(this.#bytes, 0, at, at + length);
    this.#length = length;
    this.#text = bytes.toString('utf8', at, at + length);
    return this.#text;
  }

  #isSame(bytes: Buffer, at: number, length: number): boolean {
    if (length !== this.#length) return false;
    // From the end: what differs is mostly there.
    for (let i = length - 1; i >= 0; i--) if (this.#bytes[i] !== bytes[at + i]) return false;
    return true;
  }
}
