import { ownCopy } from '../../shared/memory/own-copy.ts';
import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../shared/protocol/log-records/consumer-offsets.ts';
import { decodeVersioned, encodeVersioned, versionOf } from '../../shared/protocol/log-records/versioned.ts';
import type { CommittedOffset } from './offset.ts';
import type { Group, LoadedGroup } from './group.ts';
import { Member } from './member.ts';
import { NOTHING } from './results.ts';

/** Versions that are written, as by a broker whose inter.broker.protocol.version is 2.3 or higher. */
const OFFSET_KEY = 1;
const OFFSET_VALUE = 3;
const OFFSET_VALUE_WITH_EXPIRY = 1;
const GROUP_KEY = 2;
const GROUP_VALUE = 3;

/** What one record of `__consumer_offsets` says; null values: it is forgotten. */
export type LogRecord =
  | {
      readonly kind: 'offset';
      readonly groupId: string;
      readonly topic: string;
      readonly partition: number;
      readonly committed: CommittedOffset | null;
    }
  | { readonly kind: 'group'; readonly groupId: string; readonly group: LoadedGroup | null }
  | { readonly kind: 'unknown'; readonly keyVersion: number };

export function offsetKey(groupId: string, topic: string, partition: number): Buffer {
  return encodeVersioned(OffsetCommitKey, { group: groupId, topic, partition }, OFFSET_KEY);
}

export function offsetValue({ expireTimestamp, ...committed }: CommittedOffset): Buffer {
  if (expireTimestamp === null) return encodeVersioned(OffsetCommitValue, committed, OFFSET_VALUE);
  return encodeVersioned(OffsetCommitValue, { ...committed, expireTimestamp }, OFFSET_VALUE_WITH_EXPIRY);
}

export function groupKey(groupId: string): Buffer {
  return encodeVersioned(GroupMetadataKey, { group: groupId }, GROUP_KEY);
}

/** @param assignments by member id, of the generation that is about to be stable */
export function groupValue(group: Group, assignments: ReadonlyMap<string, Buffer>): Buffer {
  const value = {
    protocolType: group.protocolType ?? '',
    generation: group.generationId,
    protocol: group.protocolName,
    leader: group.leaderId,
    currentStateTimestamp: group.stateTimestamp ?? -1,
    members: group.members().map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: member.metadata(group.protocolName),
      assignment: assignments.get(member.memberId) ?? NOTHING,
    })),
  };
  return encodeVersioned(GroupMetadataValue, value, GROUP_VALUE);
}

/** Reads a record; what is kept is copied. @throws ProtocolError for a value of a version that does not exist */
export function decodeRecord(key: Buffer, value: Buffer | null): LogRecord {
  const keyVersion = versionOf(key);
  if (keyVersion <= OFFSET_KEY) {
    const { group: groupId, topic, partition } = decodeVersioned(OffsetCommitKey, key);
    return { kind: 'offset', groupId, topic, partition, committed: value === null ? null : decodeOffset(value) };
  }
  if (keyVersion !== GROUP_KEY) return { kind: 'unknown', keyVersion };
  const { group: groupId } = decodeVersioned(GroupMetadataKey, key);
  return { kind: 'group', groupId, group: value === null ? null : decodeGroup(value) };
}

function decodeOffset(value: Buffer): CommittedOffset {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = decodeVersioned(OffsetCommitValue, value);
  return {
    offset,
    leaderEpoch,
    metadata,
    commitTimestamp,
    expireTimestamp: expireTimestamp === -1 ? null : expireTimestamp,
  };
}

function decodeGroup(bytes: Buffer): LoadedGroup {
  const value = decodeVersioned(GroupMetadataValue, bytes);
  return {
    protocolType: value.protocolType,
    generation: value.generation,
    protocolName: value.protocol,
    leaderId: value.leader,
    stateTimestamp: value.currentStateTimestamp,
    members: value.members.map(member => restoreMember(member, value.protocol)),
  };
}

type StoredMember = StoredGroup['members'][number];
type StoredGroup = ReturnType<(typeof GroupMetadataValue)['decode']>;

/** Version 0 knew no rebalance timeout: the session's served for both. */
function restoreMember(stored: StoredMember, protocolName: string | null): Member {
  const metadata = ownCopy(stored.subscription);
  const member = new Member(stored.memberId, {
    groupInstanceId: stored.groupInstanceId,
    clientId: stored.clientId,
    clientHost: stored.clientHost,
    rebalanceTimeoutMs: stored.rebalanceTimeout === -1 ? stored.sessionTimeout : stored.rebalanceTimeout,
    sessionTimeoutMs: stored.sessionTimeout,
    protocols: protocolName === null ? [] : [{ name: protocolName, metadata }],
  });
  member.assignment = ownCopy(stored.assignment);
  return member;
}
