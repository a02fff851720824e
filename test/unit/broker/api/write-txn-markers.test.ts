import { beforeEach, describe, expect, it } from 'vitest';
import { writeTxnMarkersHandler } from '../../../../broker/api/write-txn-markers.ts';
import type { AppendRequest } from '../../../../broker/replication/append-request.ts';
import type { AppendResult } from '../../../../broker/replication/append.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import * as batch from '../../../../shared/records/batch.ts';
import { readTransactionMarker } from '../../../../shared/records/transaction-marker.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { ManualTime } from '../storage/support.ts';

const time = new ManualTime();
/** Everything that happens, in order. */
let events: string[];
let appended: AppendRequest[];
/** Codes of the log by `topic-partition`; NONE for the others. */
let codes: Record<string, ErrorCode>;
let completion: () => Promise<void>;

beforeEach(() => {
  events = [];
  appended = [];
  codes = {};
  completion = () => Promise.resolve();
});

const replicas = {
  hasLog: (topic: string) => topic !== 'elsewhere',
  append(request: AppendRequest): Promise<AppendResult[]> {
    appended.push(request);
    for (const { topic, partition, records } of request.entries) {
      const { isCommit, coordinatorEpoch } = readTransactionMarker(records, 0)!;
      const producer = `${batch.producerId(records, 0)}/${batch.producerEpoch(records, 0)}`;
      events.push(`${topic}-${partition}: ${producer} ${isCommit ? 'commit' : 'abort'} by ${coordinatorEpoch}`);
    }
    return Promise.resolve(
      request.entries.map(({ topic, partition }) => ({
        topic,
        partition,
        errorCode: codes[`${topic}-${partition}`] ?? ErrorCode.NONE,
        baseOffset: 0,
        logAppendTimeMs: -1,
        logStartOffset: 0,
        recordErrors: [],
        errorMessage: null,
      })),
    );
  },
};

interface Marked {
  readonly id?: number;
  readonly epoch?: number;
  readonly commit?: boolean;
  readonly coordinator?: number;
  readonly topics: Record<string, number[]>;
}

async function write(...markers: Marked[]) {
  const handler = writeTxnMarkersHandler({
    replicas,
    clock: time,
    logger: silentLogger,
    timeoutMs: () => 30_000,
    completeOffsets(partition, producerId, isCommit) {
      events.push(`offsets ${partition}: ${producerId} ${isCommit ? 'commit' : 'abort'}`);
      return completion();
    },
  });
  const request = {
    markers: markers.map(({ id = 7, epoch = 2, commit = true, coordinator = 5, topics }) => ({
      producerId: id,
      producerEpoch: epoch,
      transactionResult: commit,
      coordinatorEpoch: coordinator,
      topics: Object.entries(topics).map(([name, partitionIndexes]) => ({ name, partitionIndexes })),
    })),
  };
  const context = { park: () => events.push('parked') } as unknown as RequestContext;
  const answer = await handler.handle(request, context);
  return answer!.markers.map(({ producerId, topics }) => ({
    producerId,
    codes: Object.fromEntries(
      topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, errorCode }) => [`${name}-${partitionIndex}`, errorCode]),
      ),
    ),
  }));
}

describe('WriteTxnMarkers', () => {
  it('appends a marker to each partition, for all in-sync replicas', async () => {
    expect(await write({ topics: { orders: [0, 3], sales: [1] } })).toEqual([
      { producerId: 7, codes: { 'orders-0': 0, 'orders-3': 0, 'sales-1': 0 } },
    ]);
    const each = ['orders-0', 'orders-3', 'sales-1'].map(partition => `${partition}: 7/2 commit by 5`);
    expect(events).toEqual([...each, 'parked']);
    expect(appended[0]).toMatchObject({ acks: -1, timeoutMs: 30_000, origin: 'coordinator' });
  });

  it('writes several markers of a partition in the order of the request, before another request may begin', async () => {
    await write(
      { topics: { orders: [0] }, epoch: 1, commit: false },
      { topics: { orders: [0] }, epoch: 2 },
      { topics: { orders: [0] }, id: 8, coordinator: 6 },
    );
    expect(events).toEqual([
      'orders-0: 7/1 abort by 5',
      'orders-0: 7/2 commit by 5',
      'orders-0: 8/2 commit by 6',
      'parked',
    ]);
  });

  it('answers for each producer once, with what became of each of its partitions', async () => {
    codes = { 'orders-1': ErrorCode.INVALID_PRODUCER_EPOCH, 'sales-0': ErrorCode.NOT_LEADER_OR_FOLLOWER };
    const answer = await write(
      { topics: { orders: [0, 1] } },
      { topics: { sales: [0], elsewhere: [4] }, id: 8 },
      { topics: { orders: [2] } },
    );
    expect(answer).toEqual([
      { producerId: 7, codes: { 'orders-0': 0, 'orders-1': ErrorCode.INVALID_PRODUCER_EPOCH, 'orders-2': 0 } },
      {
        producerId: 8,
        codes: {
          'sales-0': ErrorCode.NOT_LEADER_OR_FOLLOWER,
          'elsewhere-4': ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        },
      },
    ]);
  });

  it('completes the offsets of a group with a marker that was written, before it answers', async () => {
    codes = { '__consumer_offsets-3': ErrorCode.NOT_ENOUGH_REPLICAS };
    const answer = write({ topics: { __consumer_offsets: [2, 3], orders: [1] }, commit: false });
    let isAnswered = false;
    void answer.then(() => (isAnswered = true));
    let complete = () => {};
    completion = () => new Promise(resolve => (complete = resolve));
    await new Promise(setImmediate);
    expect(isAnswered).toBe(false);
    complete();
    expect(await answer).toMatchObject([
      { codes: { '__consumer_offsets-2': 0, '__consumer_offsets-3': ErrorCode.NOT_ENOUGH_REPLICAS, 'orders-1': 0 } },
    ]);
    expect(events.slice(-2)).toEqual(['parked', 'offsets 2: 7 abort']);
  });

  it('says UNKNOWN_SERVER_ERROR where the offsets could not be completed', async () => {
    completion = () => Promise.reject(new Error('planted'));
    expect(await write({ topics: { __consumer_offsets: [2], orders: [1] } })).toMatchObject([
      { codes: { '__consumer_offsets-2': ErrorCode.UNKNOWN_SERVER_ERROR, 'orders-1': 0 } },
    ]);
  });

  it('has nothing to say to a request without markers', async () => {
    expect(await write()).toEqual([]);
  });
});
