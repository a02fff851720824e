import { expect, test } from 'vitest';
import { listOffsetsHandler } from '../../../../broker/api/list-offsets.ts';
import type { ReplicaManager } from '../../../../broker/replication/replica-manager.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';

const found = { errorCode: ErrorCode.NONE, timestamp: 5, offset: 7, leaderEpoch: 3 };
const replicas = { listOffset: () => Promise.resolve(found) } as unknown as ReplicaManager;

async function list(version: number, partitions: readonly number[], maxNumOffsets = 1): Promise<unknown> {
  const context = { apiVersion: version, park: () => {} } as unknown as RequestContext;
  const wanted = partitions.map(partitionIndex => ({
    partitionIndex,
    timestamp: -1,
    currentLeaderEpoch: -1,
    maxNumOffsets,
  }));
  const topics = [{ name: 't', partitions: wanted }];
  const request = { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 0 };
  return (await listOffsetsHandler(replicas).handle(request, context))!.topics[0]!.partitions;
}

test('version 0 answers with a list, later ones with one offset, from 4 on with its epoch', async () => {
  expect(await list(0, [1])).toEqual([{ partitionIndex: 1, errorCode: 0, oldStyleOffsets: [7] }]);
  expect(await list(0, [1], 0)).toEqual([{ partitionIndex: 1, errorCode: 0, oldStyleOffsets: [] }]);
  expect(await list(1, [1])).toEqual([{ partitionIndex: 1, errorCode: 0, timestamp: 5, offset: 7 }]);
  expect(await list(4, [1])).toEqual([{ partitionIndex: 1, errorCode: 0, timestamp: 5, offset: 7, leaderEpoch: 3 }]);
});

test('a partition that is asked for twice is refused, but not in version 0', async () => {
  const refused = { partitionIndex: 1, errorCode: ErrorCode.INVALID_REQUEST, timestamp: -1, offset: -1 };
  expect(await list(9, [1, 2, 1])).toMatchObject([refused, { partitionIndex: 2, errorCode: 0, offset: 7 }, refused]);
  expect(await list(0, [1, 1])).toMatchObject([{ oldStyleOffsets: [7] }, { oldStyleOffsets: [7] }]);
});
