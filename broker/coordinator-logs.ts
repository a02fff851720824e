import type { ReplicaManager } from './replication/replica-manager.ts';
import type { CoordinatedLog } from './transaction/ports.ts';

/** What coordinators read of a partition of their topic; null where this broker does not lead it. */
export function openLedLog(replicas: ReplicaManager, topic: string, partition: number): CoordinatedLog | null {
  const log = replicas.logLedHere(topic, partition);
  if (log === null) return null;
  return {
    // A leader's epoch begins in its log before it leads.
    leaderEpoch: log.latestEpoch,
    get logStartOffset() {
      return log.logStartOffset;
    },
    get logEndOffset() {
      return log.logEndOffset;
    },
    get highWatermark() {
      return log.highWatermark;
    },
    async read(offset, maxBytes) {
      const { records } = await log.read(offset, maxBytes, { upperBound: 'logEnd', minOneMessage: true });
      return records;
    },
  };
}
