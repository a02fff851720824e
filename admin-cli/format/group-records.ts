import { toJson, type Json } from '../../shared/protocol/json.ts';
import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../shared/protocol/log-records/consumer-offsets.ts';
import type { Message } from '../../shared/protocol/message.ts';
import { decodeVersioned, versionOf } from '../../shared/protocol/log-records/versioned.ts';

/** What a record of `__consumer_offsets` is about, as the version of its key has it; others belong to KIP-848. */
export type GroupRecordKind = 'offset' | 'group' | 'unknown';

export function kindOf(key: Buffer): GroupRecordKind {
  const version = versionOf(key);
  if (version < 0 || version > GroupMetadataKey.versions.max) return 'unknown';
  return version <= OffsetCommitKey.versions.max ? 'offset' : 'group';
}

export const KEYS = { offset: OffsetCommitKey, group: GroupMetadataKey } as const;
export const VALUES = { offset: OffsetCommitValue, group: GroupMetadataValue } as const;

/** A key or value as JSON of its own version; null for a version that is not known. @throws ProtocolError */
export function jsonOf(message: Message, bytes: Buffer): Json {
  const version = versionOf(bytes);
  if (version < message.versions.min || version > message.versions.max) return null;
  return toJson(message.fields, decodeVersioned(message, bytes) as Record<string, unknown>, version, message.name);
}
