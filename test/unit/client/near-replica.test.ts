/* oxlint-disable typescript/no-explicit-any -- scripted answers */
import { describe, expect, test } from 'vitest';
import { createConsumer, type Consumer } from '../../../client/index.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { Fetch } from '../../../shared/protocol/messages/fetch.ts';
import * as batch from '../../../shared/records/batch.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { batchOf } from '../broker/storage/support.ts';

interface Answer {
  readonly errorCode?: number;
  readonly preferredReadReplica?: number;
  readonly value?: string;
}

/** A consumer of t-0 at offset 5, in rack `here`, and the brokers that it has fetched from. */
function consumer(
  answer: (broker: number, n: number) => Answer,
  settings: Record<string, unknown> = {},
): { reader: Consumer; asked: number[]; cluster: ScriptedCluster } {
  const cluster = new ScriptedCluster();
  const asked: number[] = [];
  // A minute passes with each fetch.
  let passed = 0;
  cluster.on(Fetch, (request: any, broker: number) => {
    expect(request.rackId).toBe('here');
    asked.push(broker);
    passed += 60_000;
    const { partition, fetchOffset } = request.topics[0].partitions[0];
    const { value, errorCode = 0, preferredReadReplica = -1 } = answer(broker, asked.length);
    const records = value === undefined ? Buffer.alloc(0) : batchOf([value]);
    if (records.length > 0) batch.setBaseOffset(records, 0, fetchOffset);
    const offsets = { highWatermark: 9, lastStableOffset: 9, logStartOffset: 0 };
    const data = {
      partitionIndex: partition,
      errorCode,
      ...offsets,
      preferredReadReplica,
      abortedTransactions: null,
      records,
    };
    return { errorCode: 0, sessionId: 0, responses: [{ topic: 't', partitions: [data] }] };
  });
  const reader = createConsumer(
    { 'bootstrap.servers': 'b:1', 'client.rack': 'here', 'retry.backoff.ms': 1, 'max.poll.records': 1, ...settings },
    { connector: cluster, runtime: { clock: { now: () => Date.now(), monotonic: () => passed + performance.now() } } },
  );
  reader.assign([{ topic: 't', partition: 0 }]);
  reader.seek('t', 0, 5);
  return { reader, asked, cluster };
}

async function read(reader: Consumer, count: number): Promise<string[]> {
  const values: string[] = [];
  // A poll that waits in vain does so until the test's time limit.
  while (values.length < count) for (const { value } of await reader.poll(600_000)) values.push(value!.toString());
  await reader.close();
  return values;
}

describe('a consumer with a rack', () => {
  test('reads from the replica to which the leader sends it', async () => {
    const { reader, asked } = consumer(broker => (broker === 1 ? { preferredReadReplica: 2 } : { value: 'near' }));
    expect(await read(reader, 3)).toEqual(['near', 'near', 'near']);
    expect(asked.slice(0, 4)).toEqual([1, 2, 2, 2]);
  });

  test('goes back to the leader, at the same offset, when the replica does not have it or refuses', async () => {
    for (const errorCode of [
      ErrorCode.OFFSET_OUT_OF_RANGE,
      ErrorCode.NOT_LEADER_OR_FOLLOWER,
      ErrorCode.KAFKA_STORAGE_ERROR,
    ]) {
      const { reader, asked } = consumer((broker, n) => {
        if (n === 1) return { preferredReadReplica: 2 };
        return broker === 2 ? { errorCode } : { value: 'from the leader' };
      });
      expect(await read(reader, 1)).toEqual(['from the leader']);
      expect(asked.slice(0, 3)).toEqual([1, 2, 1]);
    }
  });

  test('goes back to the leader when the replica is down', async () => {
    const { reader, asked, cluster } = consumer((_broker, n) =>
      n === 1 ? { preferredReadReplica: 2 } : { value: 'from the leader' },
    );
    cluster.down.add(2);
    expect(await read(reader, 1)).toEqual(['from the leader']);
    expect(asked.slice(0, 2)).toEqual([1, 1]);
  });

  test('asks the leader again after metadata.max.age.ms', async () => {
    const { reader, asked } = consumer(broker => (broker === 1 ? { preferredReadReplica: 2 } : { value: 'near' }), {
      'metadata.max.age.ms': 270_000,
    });
    await read(reader, 20);
    expect(asked.slice(0, 8)).toEqual([1, 2, 2, 2, 2, 2, 1, 2]);
  });
});
