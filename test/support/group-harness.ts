import type { OffsetOf } from '../../broker/group/offset.ts';
import { GroupCoordinator } from '../../broker/group/coordinator.ts';
import { decodeRecord, type LogRecord } from '../../broker/group/log-records.ts';
import type { JoinRequest } from '../../broker/group/joining.ts';
import type { GroupSettings, LogReader, LogWriter } from '../../broker/group/ports.ts';
import type { JoinResult, SyncResult } from '../../broker/group/results.ts';
import type { MemberIdentity } from '../../broker/group/validation.ts';
import type { ErrorCode } from '../../shared/protocol/errors.ts';
import { buildTransactionMarker } from '../../shared/records/transaction-marker.ts';
import { silentLogger } from '../../shared/runtime/logger.ts';
import { ManualTime } from './manual-time.ts';
import { MemoryLog } from './memory-log.ts';
import { seededRandom } from './seeded-random.ts';

/** `__consumer_offsets` in memory. */
export class MemoryOffsetsLog extends MemoryLog implements LogWriter, LogReader {
  /** Everything written, in order. */
  records(): LogRecord[] {
    return this.keysAndValues().map(([key, value]) => decodeRecord(key, value));
  }
}

export const PARTITION_COUNT = 4;

/** The metadata of a consumer that reads these topics. */
export function subscription(...topics: string[]): Buffer {
  const header = Buffer.alloc(6);
  header.writeInt16BE(1);
  header.writeInt32BE(topics.length, 2);
  const names = topics.flatMap(topic => [Buffer.of(0, topic.length), Buffer.from(topic)]);
  return Buffer.concat([header, ...names, Buffer.from('ffffffff00000000', 'hex')]);
}

/** A promise of which a test looks whether it has been kept. */
export interface Watched<T> extends Promise<T> {
  result?: T;
}

export function watched<T>(promise: Promise<T>): Watched<T> {
  const watching = promise as Watched<T>;
  void promise.then(result => (watching.result = result));
  return watching;
}

/** A coordinator on manual time, which leads all partitions, over a log that may be handed on to the next one. */
export class GroupHarness {
  readonly time: ManualTime;
  readonly log: MemoryOffsetsLog;
  readonly coordinator: GroupCoordinator;
  readonly settings: { -readonly [K in keyof GroupSettings]: GroupSettings[K] };

  private constructor(settings: Partial<GroupSettings>, time: ManualTime, log: MemoryOffsetsLog) {
    this.time = time;
    this.log = log;
    this.settings = {
      minSessionTimeoutMs: 6000,
      maxSessionTimeoutMs: 1_800_000,
      initialRebalanceDelayMs: 0,
      maxSize: 1000,
      maxMetadataLength: 4096,
      loadBufferSize: 1 << 20,
      compression: 0,
      retentionMs: 7 * 86_400_000,
      retentionCheckIntervalMs: 600_000,
      commitAcks: -1,
      ...settings,
    };
    this.coordinator = new GroupCoordinator({
      partitionCount: PARTITION_COUNT,
      settings: () => this.settings,
      writer: log,
      reader: log,
      clock: time.clock,
      timers: time.timers,
      random: seededRandom(1),
      logger: silentLogger,
    });
    this.coordinator.startup();
  }

  static async start(
    settings: Partial<GroupSettings> = {},
    time = new ManualTime(),
    log = new MemoryOffsetsLog(),
  ): Promise<GroupHarness> {
    const harness = new GroupHarness(settings, time, log);
    for (let partition = 0; partition < PARTITION_COUNT; partition++) await harness.coordinator.elect(partition);
    return harness;
  }

  /** This coordinator loses all partitions, and another one takes over. */
  async failOver(): Promise<GroupHarness> {
    for (let partition = 0; partition < PARTITION_COUNT; partition++) this.coordinator.resign(partition);
    return GroupHarness.start(this.settings, this.time, this.log);
  }

  join(request: Partial<JoinRequest> = {}): Watched<JoinResult> {
    return watched(
      this.coordinator.join({
        groupId: 'group',
        memberId: '',
        groupInstanceId: null,
        clientId: 'client',
        clientHost: '/127.0.0.1',
        rebalanceTimeoutMs: 60_000,
        sessionTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: subscription('orders') }],
        requiresKnownMemberId: false,
        maySkipAssignment: false,
        reason: '',
        ...request,
      }),
    );
  }

  sync(
    { memberId, generationId }: Pick<JoinResult, 'memberId' | 'generationId'>,
    assignments: Readonly<Record<string, string>> = {},
    groupInstanceId: string | null = null,
  ): Watched<SyncResult> {
    const bytes = Object.entries(assignments).map(([id, text]) => [id, Buffer.from(text)] as const);
    return watched(
      this.coordinator.sync({
        groupId: 'group',
        generationId,
        memberId,
        groupInstanceId,
        protocolType: null,
        protocolName: null,
        assignments: new Map(bytes),
      }),
    );
  }

  /** Joins and syncs `count` members, who all are in the same, stable generation then; the leader first. */
  async stable(
    count: number,
    request: Partial<JoinRequest> = {},
    ofMember = (_: number): Partial<JoinRequest> => ({}),
  ) {
    const first = await this.join({ ...request, ...ofMember(0) });
    const rest = Array.from({ length: count - 1 }, (_, i) => this.join({ ...request, ...ofMember(i + 1) }));
    const again = count === 1 ? first : await this.join({ ...request, ...ofMember(0), memberId: first.memberId });
    const members = [again, ...(await Promise.all(rest))];
    const assignments = Object.fromEntries(members.map(({ memberId }, i) => [memberId, `part ${i}`]));
    const syncs = members.map((member, i) =>
      this.sync(member, i === 0 ? assignments : {}, ofMember(i).groupInstanceId ?? null),
    );
    await Promise.all(syncs);
    return members;
  }

  heartbeat(
    { memberId, generationId }: Pick<JoinResult, 'memberId' | 'generationId'>,
    groupInstanceId: string | null = null,
  ): ErrorCode {
    return this.coordinator.heartbeat({ groupId: 'group', memberId, generationId, groupInstanceId });
  }

  /** Commits one offset of orders-0. */
  async commit(
    by: Partial<Pick<JoinResult, 'memberId' | 'generationId'>> = {},
    offset: Partial<{ topic: string; offset: number; metadata: string; expireTimestamp: number | null }> = {},
  ): Promise<ErrorCode> {
    const now = this.time.clock.now();
    const [code] = await this.coordinator.commit({
      groupId: 'group',
      memberId: by.memberId ?? '',
      generationId: by.generationId ?? -1,
      groupInstanceId: null,
      offsets: [
        {
          topic: 'orders',
          partition: 0,
          offset: 42,
          leaderEpoch: -1,
          metadata: '',
          commitTimestamp: now,
          expireTimestamp: null,
          ...offset,
        },
      ],
    });
    return code!;
  }

  /** Commits one offset of orders-0 in the open transaction of a producer. */
  async commitInTransaction(
    producerId: number,
    offset: Partial<OffsetOf> = {},
    by: Partial<MemberIdentity & { generationId: number }> = {},
  ): Promise<ErrorCode> {
    const now = this.time.clock.now();
    const stored = { topic: 'orders', partition: 0, leaderEpoch: -1, metadata: '', expireTimestamp: null };
    const [code] = await this.coordinator.commitInTransaction(
      {
        groupId: 'group',
        memberId: '',
        generationId: -1,
        groupInstanceId: null,
        ...by,
        offsets: [{ ...stored, offset: 42, commitTimestamp: now, ...offset }],
      },
      { id: 'tx', producerId, producerEpoch: 3, knowsAbortable: true },
    );
    return code!;
  }

  /** The marker of a producer's transaction is written to the partition of `group`. */
  async endTransaction(producerId: number, isCommit: boolean): Promise<void> {
    const partition = this.coordinator.partitionOf('group');
    const marker = { isCommit, coordinatorEpoch: 0, timestamp: this.time.clock.now() };
    await this.log.append(partition, buildTransactionMarker({ producerId, producerEpoch: 3 }, marker), -1);
    this.coordinator.completeTransaction(partition, producerId, isCommit);
  }

  isUnstable(topic = 'orders'): boolean {
    return this.coordinator.fetchOffsets('group').group?.transactional.has(topic, 0) ?? false;
  }

  committed(topic = 'orders'): number {
    return this.coordinator.fetchOffsets('group').group?.get(topic, 0)?.offset ?? -1;
  }

  get state(): string {
    return this.coordinator.describe('group').group?.state ?? 'Dead';
  }
}
