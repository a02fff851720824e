import type { ReadableLog } from '../shared/records/log-walk.ts';
import type { ReplicaManager } from './replication/replica-manager.ts';

/** A log that a coordinator loads, and the epoch in which this broker leads it. */
export interface LedLog extends ReadableLog {
  readonly leaderEpoch: number;
  readonly highWatermark: number;
}

/** What coordinators read of a partition of their topic; null where this broker does not lead it. */
export function openLedLog(replicas: ReplicaManager, topic: string, partition: number): LedLog | null {
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
