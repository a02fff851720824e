import type { Json } from '../../shared/protocol/json.ts';
import { ConsumerAssignment, ConsumerSubscription } from '../../shared/protocol/log-records/consumer-protocol.ts';
import { GroupMetadataValue } from '../../shared/protocol/log-records/consumer-offsets.ts';
import { decodeVersioned, versionOf } from '../../shared/protocol/log-records/versioned.ts';
import type { RecordView } from './dumped-batch.ts';
import { jsonOf, KEYS, kindOf, VALUES } from './group-records.ts';

/**
 * Key and value of a record of `__consumer_offsets` as kafka-dump-log shows them with --offsets-decoder: JSON, in which
 * what consumers tell each other is readable, too (Kafka: `DumpLogSegments.OffsetsMessageParser`).
 * @throws Error for a record without key; ProtocolError
 */
export function groupRecordContents({ offset, key, value }: RecordView): string {
  if (key === null)
    throw new Error(`the record at offset ${offset} has no key: it is not of the topic that --offsets-decoder reads`);
  const kind = kindOf(key);
  if (kind === 'unknown') return ` key: <UNKNOWN> payload: ${value === null ? '<DELETE>' : '<UNKNOWN>'}`;
  const keyText = JSON.stringify({ type: String(versionOf(key)), data: jsonOf(KEYS[kind], key) });
  return ` key: ${keyText} payload: ${value === null ? '<DELETE>' : valueText(kind, value)}`;
}

function valueText(kind: 'offset' | 'group', value: Buffer): string {
  const data = kind === 'offset' ? jsonOf(VALUES.offset, value) : groupJson(value);
  return JSON.stringify({ version: String(versionOf(value)), data });
}

function groupJson(value: Buffer): Json {
  const json = jsonOf(VALUES.group, value) as { protocolType: string; members: Record<string, Json>[] };
  if (json.protocolType !== 'consumer') return json;
  const { members } = decodeVersioned(GroupMetadataValue, value);
  json.members.forEach((member, index) => {
    const { subscription, assignment } = members[index]!;
    if (subscription.length > 0) member['subscription'] = jsonOf(ConsumerSubscription, subscription);
    if (assignment.length > 0) member['assignment'] = jsonOf(ConsumerAssignment, assignment);
  });
  return json;
}
