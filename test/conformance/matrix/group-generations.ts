import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeRecord } from '../../../broker/group/log-records.ts';
import { BatchCursor } from '../../../shared/records/batch-cursor.ts';
import { RecordCursor } from '../../../shared/records/record-cursor.ts';
import { ConsumerAssignment } from '../../../shared/protocol/log-records/consumer-protocol.ts';
import { decodeVersioned } from '../../../shared/protocol/log-records/versioned.ts';

/** What a coordinator has written down of one generation of a group. */
export interface StoredGeneration {
  readonly generation: number;
  readonly protocol: string | null;
  /** Client ids: of the member that shared out the partitions, and of who got which of them. */
  readonly leader: string | null;
  readonly owners: readonly (readonly [clientId: string, partitions: readonly number[]])[];
}

/** All generations of a group whose members share one topic, from a broker's files of `__consumer_offsets`. */
export function storedGenerations(dataDirectory: string, group: string): StoredGeneration[] {
  const found: StoredGeneration[] = [];
  const files = readdirSync(dataDirectory, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter(path => /__consumer_offsets-\d+\/\d+\.log$/.test(path))) {
    const segment = readFileSync(join(dataDirectory, file));
    const batches = new BatchCursor().reset(segment);
    while (batches.next()) {
      for (const records = new RecordCursor().reset(segment, batches.position); records.next();) {
        const stored = generationOf(records.key()!, records.value(), group);
        if (stored !== null) found.push(stored);
      }
    }
  }
  return found;
}

function generationOf(key: Buffer, value: Buffer | null, groupId: string): StoredGeneration | null {
  const record = decodeRecord(key, value);
  if (record.kind !== 'group' || record.groupId !== groupId || record.group === null) return null;
  const { generation, protocolName, leaderId, members } = record.group;
  const owners = members.map(({ clientId, assignment }) => [clientId, partitionsOf(assignment)] as const);
  const leader = members.find(({ memberId }) => memberId === leaderId)?.clientId ?? null;
  return { generation, protocol: protocolName, leader, owners };
}

function partitionsOf(assignment: Buffer): number[] {
  if (assignment.length === 0) return [];
  return decodeVersioned(ConsumerAssignment, assignment).assignedPartitions.flatMap(({ partitions }) => partitions);
}
