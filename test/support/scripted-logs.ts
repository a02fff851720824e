/* oxlint-disable typescript/no-explicit-any -- scripted answers */
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { setBaseOffset, setPartitionLeaderEpoch } from '../../shared/records/batch.ts';
import { rawBatch } from './raw-batch.ts';
import type { ScriptedCluster } from './scripted-cluster.ts';

/**
 * Lets brokers answer fetches of every topic: each partition's log holds these values from offset 0 on, one a batch, with
 * the key `k`, the header `h` and leader epoch 7. Batches have no checksum. A fetch at the end of all logs
 * waits as it is told; default: for ever.
 */
export function scriptLogs(
  cluster: ScriptedCluster,
  logs: Readonly<Record<number, readonly (Buffer | null)[]>>,
  waitAtEnd: () => Promise<unknown> = () => new Promise(() => {}),
): void {
  cluster.on(Fetch, async ({ topics }) => {
    const responses = topics.map(({ topic, partitions }: any) => ({
      topic,
      partitions: partitions.map(({ partition, fetchOffset }: any) => ({
        partitionIndex: partition,
        errorCode: 0,
        highWatermark: logs[partition]!.length,
        lastStableOffset: logs[partition]!.length,
        logStartOffset: 0,
        abortedTransactions: [],
        preferredReadReplica: -1,
        records: Buffer.concat(
          logs[partition]!.slice(fetchOffset).map((value, n) => at(Number(fetchOffset) + n, value)),
        ),
      })),
    }));
    const isEmpty = responses.every((r: any) => r.partitions.every((p: any) => p.records.length === 0));
    if (isEmpty) await waitAtEnd();
    return { errorCode: 0, sessionId: 0, responses };
  });
}

function at(offset: number, value: Buffer | null): Buffer {
  const batch = rawBatch([{ key: Buffer.from('k'), value, headers: [['h', Buffer.from('x')]] }]);
  setBaseOffset(batch, 0, offset);
  setPartitionLeaderEpoch(batch, 0, 7);
  return batch;
}
