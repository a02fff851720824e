/* oxlint-disable typescript/no-explicit-any -- a script answers in whatever shape the test wants */
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ConsumerAssignment, ConsumerSubscription } from '../../shared/protocol/log-records/consumer-protocol.ts';
import { decodeVersioned, encodeVersioned } from '../../shared/protocol/log-records/versioned.ts';
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { FindCoordinator } from '../../shared/protocol/messages/find-coordinator.ts';
import { Heartbeat } from '../../shared/protocol/messages/heartbeat.ts';
import { JoinGroup } from '../../shared/protocol/messages/join-group.ts';
import { LeaveGroup } from '../../shared/protocol/messages/leave-group.ts';
import { ListOffsets } from '../../shared/protocol/messages/list-offsets.ts';
import { OffsetCommit } from '../../shared/protocol/messages/offset-commit.ts';
import { OffsetFetch } from '../../shared/protocol/messages/offset-fetch.ts';
import { SyncGroup } from '../../shared/protocol/messages/sync-group.ts';
import * as batch from '../../shared/records/batch.ts';
import { batchOf } from '../unit/broker/storage/support.ts';
import type { ScriptedCluster } from './scripted-cluster.ts';

/** The group of one member of topic t, as a test wants it: who leads, what is assigned, which errors come when. */
export class ScriptedGroup {
  coordinator = 1;
  generation = 0;
  /** What a SyncGroup that brings no assignment is answered with; null: the member leads, and shares out itself. */
  assigned: number[] | null = [0];
  readonly committed = new Map<number, number>();
  /** Values that a partition has from offset 0 on; none: a fetch waits for ever. */
  readonly values = new Map<number, string[]>();
  /** Error codes for the next calls of an API, by its name. */
  readonly errors: { api: string; code: ErrorCode }[] = [];
  /** What has been asked, in words. */
  readonly asked: string[] = [];

  constructor(cluster: ScriptedCluster) {
    cluster.on(FindCoordinator, () => ({
      coordinators: [{ key: 'g', nodeId: this.coordinator, host: 'b', port: this.coordinator, errorCode: 0 }],
    }));
    cluster.on(JoinGroup, (request, broker) => this.#join(request, broker));
    cluster.on(SyncGroup, request => this.#sync(request));
    cluster.on(Heartbeat, ({ generationId }) => {
      this.asked.push(`heartbeat ${generationId}`);
      return { errorCode: this.#code('Heartbeat') };
    });
    cluster.on(LeaveGroup, ({ members }) => {
      this.asked.push(`leave ${members[0].memberId}: ${members[0].reason}`);
      return { errorCode: 0, members: [] };
    });
    cluster.on(OffsetCommit, request => this.#commit(request));
    cluster.on(OffsetFetch, ({ groups }) => this.#offsets(groups[0].topics));
    cluster.on(ListOffsets, ({ topics }) => ({
      topics: topics.map(({ name, partitions }: any) => ({
        name,
        partitions: partitions.map(({ partitionIndex }: any) => ({
          partitionIndex,
          errorCode: 0,
          offset: 0,
          timestamp: -1,
          leaderEpoch: 0,
        })),
      })),
    }));
    cluster.on(Fetch, request => this.#fetch(request));
  }

  #code(api: string): ErrorCode {
    const at = this.errors.findIndex(error => error.api === api);
    return at < 0 ? ErrorCode.NONE : this.errors.splice(at, 1)[0]!.code;
  }

  #join({ memberId, protocols }: any, broker: number) {
    const errorCode = this.#code('JoinGroup');
    const { topics, ownedPartitions } = decodeVersioned(ConsumerSubscription, protocols[0].metadata);
    const owned = ownedPartitions.flatMap(({ partitions }) => partitions).join();
    this.asked.push(`join as '${memberId}' at ${broker} for ${topics.join()}${owned === '' ? '' : ` with ${owned}`}`);
    const id = memberId === '' ? 'm1' : memberId;
    if (errorCode !== ErrorCode.NONE)
      return { errorCode, memberId: id, generationId: -1, members: [], leader: '', protocolName: '' };
    return {
      errorCode,
      generationId: ++this.generation,
      protocolType: 'consumer',
      protocolName: protocols[0].name,
      leader: this.assigned === null ? id : 'other',
      skipAssignment: false,
      memberId: id,
      members: this.assigned === null ? [{ memberId: id, groupInstanceId: null, metadata: protocols[0].metadata }] : [],
    };
  }

  #sync({ memberId, assignments }: any) {
    const errorCode = this.#code('SyncGroup');
    if (errorCode !== ErrorCode.NONE) return { errorCode, assignment: Buffer.alloc(0) };
    const own = assignments.find((one: any) => one.memberId === memberId)?.assignment;
    const assignedPartitions = [{ topic: 't', partitions: this.assigned ?? [] }];
    const given = encodeVersioned(ConsumerAssignment, { assignedPartitions, userData: null }, 0);
    return { errorCode, assignment: own ?? given };
  }

  #commit({ topics, memberId, generationIdOrMemberEpoch }: any) {
    const errorCode = this.#code('OffsetCommit');
    const told = topics.flatMap(({ partitions }: any) =>
      partitions.map((p: any) => `${p.partitionIndex}@${p.committedOffset}`),
    );
    this.asked.push(`commit ${told.join()} as ${memberId}/${generationIdOrMemberEpoch}`);
    return {
      topics: topics.map(({ name, partitions }: any) => ({
        name,
        partitions: partitions.map(({ partitionIndex, committedOffset }: any) => {
          if (errorCode === ErrorCode.NONE) this.committed.set(partitionIndex, committedOffset);
          return { partitionIndex, errorCode };
        }),
      })),
    };
  }

  #fetch({ topics }: any) {
    const partitions = topics.flatMap(({ partitions: asked }: any) =>
      asked.flatMap(({ partition, fetchOffset }: any) => {
        const values = this.values.get(partition)?.slice(fetchOffset) ?? [];
        if (values.length === 0) return [];
        const records = batchOf(values);
        batch.setBaseOffset(records, 0, fetchOffset);
        const end = Number(fetchOffset) + values.length;
        const offsets = { highWatermark: end, lastStableOffset: end, logStartOffset: 0 };
        return [{ partitionIndex: partition, errorCode: 0, ...offsets, abortedTransactions: null, records }];
      }),
    );
    if (partitions.length === 0) return new Promise(() => {});
    return { errorCode: 0, sessionId: 0, responses: [{ topic: 't', partitions }] };
  }

  #offsets(topics: any[]) {
    return {
      groups: [
        {
          groupId: 'g',
          errorCode: 0,
          topics: topics.map(({ name, partitionIndexes }) => ({
            name,
            partitions: partitionIndexes.map((partitionIndex: number) => ({
              partitionIndex,
              committedOffset: this.committed.get(partitionIndex) ?? -1,
              committedLeaderEpoch: -1,
              metadata: '',
              errorCode: 0,
            })),
          })),
        },
      ],
    };
  }
}
