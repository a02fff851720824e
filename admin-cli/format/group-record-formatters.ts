import type { ConsumerRecord } from '../../client/index.ts';
import type { Json } from '../../shared/protocol/json.ts';
import {
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../shared/protocol/log-records/consumer-offsets.ts';
import { decodeVersioned, versionOf } from '../../shared/protocol/log-records/versioned.ts';
import { jsonOf, KEYS, kindOf, VALUES } from './group-records.ts';
import type { OutputBuffer } from './output-buffer.ts';

type Kind = 'offset' | 'group';

/**
 * Shows offsets, or groups, of `__consumer_offsets` and skips all other records. Kafka changed the text with the class's
 * name in 3.8 (`kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter` became
 * `org.apache.kafka.tools.consumer.OffsetsMessageFormatter`); scripts name the one whose text they read.
 */
export function groupRecordFormatter(
  kind: Kind,
  isOldClass: boolean,
): (record: ConsumerRecord, output: OutputBuffer) => void {
  const text = isOldClass ? (kind === 'offset' ? oldOffset : oldGroup) : json;
  return (record, output) => {
    if (record.key === null || kindOf(record.key) !== kind) return;
    output.append(`${text(record.key, record.value, kind)}\n`);
  };
}

function json(key: Buffer, value: ConsumerRecord['value'], kind: Kind): string {
  return JSON.stringify({
    key: versioned(key, jsonOf(KEYS[kind], key)),
    value: value && versioned(value, jsonOf(VALUES[kind], value)),
  });
}

/** @param data null: of a version that is not known here */
function versioned(bytes: Buffer, data: Json): Json {
  return { version: versionOf(bytes), data: data ?? 'unknown' };
}

/** `[group,topic,partition]::OffsetAndMetadata(…)`; `NULL` for an offset that is forgotten. */
function oldOffset(key: Buffer, value: Buffer | null): string {
  const { group, topic, partition } = decodeVersioned(OffsetCommitKey, key);
  return `[${group},${topic},${partition}]::${value === null ? 'NULL' : offsetText(value)}`;
}

function offsetText(bytes: Buffer): string {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = decodeVersioned(OffsetCommitValue, bytes);
  const epoch = leaderEpoch === -1 ? 'Optional.empty' : `Optional[${leaderEpoch}]`;
  const expiry = expireTimestamp === -1 ? 'None' : `Some(${expireTimestamp})`;
  return `OffsetAndMetadata(offset=${offset}, leaderEpoch=${epoch}, metadata=${metadata}, commitTimestamp=${commitTimestamp}, expireTimestamp=${expiry})`;
}

/** `group::GroupMetadata(…)`; `NULL` for a group that is forgotten. */
function oldGroup(key: Buffer, value: Buffer | null): string {
  const { group } = decodeVersioned(KEYS.group, key);
  return `${group}::${value === null ? 'NULL' : groupText(group, value)}`;
}

function groupText(group: string, bytes: Buffer): string {
  const { generation, protocolType, protocol, members } = decodeVersioned(GroupMetadataValue, bytes);
  const texts = members.map(member => `${member.memberId} -> ${memberText(member, protocol)}`);
  const state = members.length === 0 ? 'Empty' : 'Stable';
  return `GroupMetadata(groupId=${group}, generation=${generation}, protocolType=${option(protocolType)}, currentState=${state}, members=HashMap(${texts.join(', ')}))`;
}

type Member = ReturnType<(typeof GroupMetadataValue)['decode']>['members'][number];

function memberText(member: Member, protocol: string | null): string {
  const { memberId, groupInstanceId, clientId, clientHost, sessionTimeout, rebalanceTimeout } = member;
  const rebalance = rebalanceTimeout === -1 ? sessionTimeout : rebalanceTimeout;
  return `MemberMetadata(memberId=${memberId}, groupInstanceId=${option(groupInstanceId)}, clientId=${clientId}, clientHost=${clientHost}, sessionTimeoutMs=${sessionTimeout}, rebalanceTimeoutMs=${rebalance}, supportedProtocols=List(${protocol ?? ''}))`;
}

/** As Scala shows an option. */
function option(text: string | null): string {
  return text === null || text === '' ? 'None' : `Some(${text})`;
}
