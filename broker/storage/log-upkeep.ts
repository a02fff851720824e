import type { Timer } from '../../shared/runtime/clock.ts';
import { StorageError } from './errors.ts';
import type { LogDirectory } from './log-directory.ts';
import type { PartitionLog } from './partition-log.ts';
import type { LogManagerSetup } from './storage-setup.ts';

/** Intervals beyond what timers take mean "never". */
const NEVER_MS = 2 ** 31 - 1;

/** What there is to look after, asked for each time: logs come and go, directories fail. */
export interface LogsInUse {
  readonly logs: () => PartitionLog[];
  readonly directories: () => LogDirectory[];
}

/** Does for a broker's logs what is to be done regularly (Kafka: the tasks that `LogManager.startup` schedules). */
export class LogUpkeep {
  readonly #setup: LogManagerSetup;
  readonly #inUse: LogsInUse;
  #tasks: Timer[] = [];
  #retention: Promise<void> | null = null;

  constructor(setup: LogManagerSetup, inUse: LogsInUse) {
    this.#setup = setup;
    this.#inUse = inUse;
  }

  start(): void {
    const { options } = this.#setup;
    const { logs, directories } = this.#inUse;
    this.#every(options.retentionCheckIntervalMs, () => this.#deleteOldSegments());
    this.#every(options.producerExpirationCheckIntervalMs, () => {
      for (const log of logs()) log.removeExpiredProducers();
    });
    this.#every(options.flushCheckIntervalMs, () => this.#forEachLog(log => log.flushIfDue()));
    this.#every(options.recoveryPointCheckpointIntervalMs, () =>
      Promise.all(directories().map(directory => directory.checkpointRecoveryPoints())),
    );
    this.#every(options.logStartCheckpointIntervalMs, () =>
      Promise.all(directories().map(directory => directory.checkpointLogStartOffsets())),
    );
  }

  #every(periodMs: number, task: () => unknown): void {
    if (periodMs > NEVER_MS) return;
    const timer = this.#setup.timers.every(periodMs, () => void task(), this.#setup.options.initialTaskDelayMs);
    this.#tasks.push(timer);
  }

  /** Begins nothing any more; resolves when what was under way has ended. */
  async stop(): Promise<void> {
    for (const task of this.#tasks.splice(0)) task.cancel();
    await this.#retention;
  }

  /** Deletes the segments that retention no longer keeps, in all logs; joins a run that is under way. */
  #deleteOldSegments(): Promise<void> {
    this.#retention ??= this.#forEachLog(async log => {
      const count = await log.deleteOldSegments();
      if (count > 0) this.#reportRetention(log, count);
    }).finally(() => {
      this.#retention = null;
    });
    return this.#retention;
  }

  #reportRetention(log: PartitionLog, count: number): void {
    const { topic, partition, logStartOffset } = log;
    this.#setup.logger.info({ topic, partition, segments: count, logStartOffset }, 'retention deleted segments');
  }

  /** Does something for all logs, one after the other. A directory that fails meanwhile has reported that itself. */
  async #forEachLog(action: (log: PartitionLog) => Promise<void>): Promise<void> {
    for (const log of this.#inUse.logs()) {
      try {
        await action(log);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
      }
    }
  }
}
