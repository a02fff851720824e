import type { CleaningReport } from './clean-log.ts';
import type { Dirtiness } from './dirtiness.ts';

/** What the metrics page says of compaction; named as Kafka's `LogCleaner` and `LogCleanerManager` name it. */
export class CleanerStatistics {
  /** Of the last look at all logs: the dirtiest one's part that is not clean, in percent. */
  maxDirtyPercent = 0;
  /** Of the last look: for how long records have been due by `max.compaction.lag.ms`, in seconds. */
  maxCompactionDelaySeconds = 0;
  /** Of the last cleaning: what was left of the bytes, in percent. */
  recopyPercent = 0;
  /** Of the last cleaning, in seconds. */
  cleanSeconds = 0;
  /** Of the last cleaning: how full the map of keys was, in percent. */
  bufferUtilizationPercent = 0;
  /** Of the clock, in milliseconds; null: nobody has looked yet. */
  lastRunMs: number | null = null;
  /** How often it was looked for logs to clean, and how many were cleaned. */
  looks = 0;
  cleanings = 0;

  looked(dirtiness: readonly Dirtiness[], now: number): void {
    this.lastRunMs = now;
    this.looks++;
    this.maxDirtyPercent = Math.round(100 * Math.max(0, ...dirtiness.map(({ ratio }) => ratio)));
    this.maxCompactionDelaySeconds = Math.max(0, ...dirtiness.map(({ overdueMs }) => overdueMs)) / 1000;
  }

  cleaned({ bytesBefore, bytesAfter, mapUtilization }: CleaningReport, ms: number): void {
    this.cleanings++;
    this.recopyPercent = bytesBefore === 0 ? 0 : Math.round((100 * bytesAfter) / bytesBefore);
    this.cleanSeconds = ms / 1000;
    this.bufferUtilizationPercent = Math.round(100 * mapUtilization);
  }
}
