/* eslint-disable @typescript-eslint/no-explicit-any -- scripted answers */
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { setBaseOffset } from '../../shared/records/batch.ts';
import { rawBatch } from './raw-batch.ts';
import type { ScriptedCluster } from './scripted-cluster.ts';

/**
 * Lets brokers answer fetches of every topic: each partition's log holds these values from offset 0 on, one a batch, with
 * the key `k` and the header `h`. Batches have no checksum. A fetch at the end of all logs waits for ever.
 */
export function scriptLogs(cluster: ScriptedCluster, logs: Readonly<Record<number, readonly (Buffer | null)[]>>): void {
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
    if (isEmpty) await new Promise(() => {});
    return { errorCode: 0, sessionId: 0, responses };
  });
}

function at(offset: number, value: Buffer | null): Buffer {
  const batch = rawBatch([{ key: Buffer.from('k'), value, headers: [['h', Buffer.from('x')]] }]);
  setBaseOffset(batch, 0, offset);
  return batch;
}
