import type { Clock, Timers } from '../../../shared/runtime/clock.ts';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { StorageError } from '../errors.ts';
import type { PartitionLog } from '../partition-log.ts';
import type { CleanerSetup } from '../storage-setup.ts';
import { type CleanedOffsets, cleanLog, type CleaningReport, type DirtyLog } from './clean-log.ts';
import { CleanerStatistics } from './cleaner-statistics.ts';
import { type Dirtiness, dirtinessOf, filthiest, firstDirtyOffset } from './dirtiness.ts';
import { type CleaningExecutor, CleaningFailure } from './steps.ts';

/** A thread that has had nothing to do for so long is given back with its memory. */
const IDLE_MS = 60_000;

export type CleanableLog = Omit<DirtyLog, 'dirtiness'>;

interface Surroundings {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** One of `log.cleaner.threads`. */
interface Lane {
  readonly executor: CleaningExecutor;
  /** What it cleans, from the moment of its choice on: nobody else chooses it. */
  log: PartitionLog | null;
  busyUntilMs: number;
  isDead: boolean;
  /** Settles when the lane has ended. */
  done: Promise<void>;
}

/**
 * Compaction of a broker's logs (Kafka: `LogCleaner`, `LogCleanerManager`). As many lanes as there are to be threads each
 * do the same, over and over: the dirtiest log that nobody else is at, or a pause of `log.cleaner.backoff.ms` when none is
 * dirty enough. A lane's executor starts nothing before there is something to clean, so that a broker without compacted
 * topics pays for a timer only.
 */
export class LogCleaner {
  readonly #setup: CleanerSetup;
  readonly #surroundings: Surroundings;
  readonly #logs: () => CleanableLog[];
  readonly #lanes: Lane[] = [];
  readonly #stopping = new AbortController();
  readonly #statistics = new CleanerStatistics();

  /** @param logs those to be compacted, asked for each time */
  constructor(surroundings: Surroundings, setup: CleanerSetup, logs: () => CleanableLog[]) {
    this.#surroundings = surroundings;
    this.#setup = setup;
    this.#logs = logs;
  }

  get statistics(): Readonly<CleanerStatistics> {
    return this.#statistics;
  }

  /** Logs that are left alone until the next start, because cleaning them failed. */
  get uncleanable(): PartitionLog[] {
    return this.#logs().flatMap(({ log }) => (log.compaction.isUncleanable ? [log] : []));
  }

  /** Threads that have broken down and have done nothing since. */
  get deadThreads(): number {
    return this.#lanes.filter(({ isDead }) => isDead).length;
  }

  /** Begins, or has as many threads as there are to be now. */
  start(): void {
    if (this.#stopping.signal.aborted) return;
    while (this.#lanes.length < this.#setup.options().threads) {
      const executor = this.#setup.executor();
      const lane: Lane = { executor, log: null, busyUntilMs: 0, isDead: false, done: Promise.resolve() };
      this.#lanes.push(lane);
      lane.done = this.#run(lane);
    }
  }

  /** Stops what is under way, which leaves no trace; resolves when all has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { log } of this.#logs()) log.compaction.interrupt();
    await Promise.all(this.#lanes.map(({ done }) => done));
  }

  async #run(lane: Lane): Promise<void> {
    while (this.#isWanted(lane)) {
      const found = await this.#look(lane);
      if (!this.#isWanted(lane)) break;
      const hasCleaned = found !== null && (await this.#clean(found, lane));
      if (!hasCleaned) await this.#pause(lane);
    }
    await lane.executor.stop();
    const place = this.#lanes.indexOf(lane);
    if (!this.#stopping.signal.aborted) this.#lanes.splice(place, 1);
  }

  #isWanted(lane: Lane): boolean {
    return !this.#stopping.signal.aborted && this.#lanes.indexOf(lane) < this.#setup.options().threads;
  }

  async #pause(lane: Lane): Promise<void> {
    const { clock, timers } = this.#surroundings;
    if (lane.executor.isStarted && clock.monotonic() - lane.busyUntilMs >= IDLE_MS) await lane.executor.stop();
    await timers.sleep(this.#setup.options().backoffMs, this.#stopping.signal).catch(() => {
      // It is time to stop.
    });
  }

  /** The dirtiest log, which is the lane's from then on; null when none is dirty enough. */
  async #look(lane: Lane): Promise<DirtyLog | null> {
    const found: DirtyLog[] = [];
    for (const { log, home } of this.#logs()) {
      const dirtiness = await this.#dirtinessOf(log, home);
      if (dirtiness !== null) found.push({ log, home, dirtiness });
    }
    this.#statistics.looked(
      found.map(({ dirtiness }) => dirtiness),
      this.#surroundings.clock.now(),
    );
    // Another lane may have chosen one of them meanwhile, or even cleaned it, and logs may be gone.
    const present = new Set(this.#logs().map(({ log }) => log));
    const chosen = filthiest(
      found.filter(dirty => present.has(dirty.log) && this.#isFree(dirty.log) && isAsFound(dirty)),
    );
    lane.log = chosen?.log ?? null;
    return chosen;
  }

  #isFree(log: PartitionLog): boolean {
    const { isUncleanable, isRunning } = log.compaction;
    return !isUncleanable && !isRunning && !this.#lanes.some(lane => lane.log === log);
  }

  async #dirtinessOf(log: PartitionLog, home: CleanedOffsets): Promise<Dirtiness | null> {
    if (!this.#isFree(log)) return null;
    try {
      const firstDirty = firstDirtyOffset(home.cleanedOffset(log), log);
      const facts = await log.compaction.gather(firstDirty);
      return facts === null ? null : dirtinessOf(firstDirty, facts);
    } catch (error) {
      this.#failed(log, error);
      return null;
    }
  }

  /** Returns whether it was cleaned. */
  async #clean(dirty: DirtyLog, lane: Lane): Promise<boolean> {
    const { clock } = this.#surroundings;
    const begun = clock.monotonic();
    try {
      const report = await cleanLog(dirty, lane.executor, this.#setup.options(), clock.now());
      lane.isDead = false;
      this.#report(dirty.log, report, clock.monotonic() - begun);
      return true;
    } catch (error) {
      if (error instanceof CleaningFailure && error.kind === 'crash') lane.isDead = true;
      this.#failed(dirty.log, error);
      return false;
    } finally {
      lane.log = null;
      lane.busyUntilMs = clock.monotonic();
    }
  }

  #report({ topic, partition }: PartitionLog, report: CleaningReport, ms: number): void {
    const { logger } = this.#surroundings;
    this.#statistics.cleaned(report, ms);
    const { endOffset, bytesBefore, bytesAfter, recordsBefore, recordsAfter, keyless } = report;
    const sizes = { endOffset, bytesBefore, bytesAfter, recordsBefore, recordsAfter, ms: Math.round(ms) };
    logger.info({ topic, partition, ...sizes }, 'cleaned a log');
    if (keyless === 0) return;
    logger.warn({ topic, partition, records: keyless }, 'records without a key were dropped from a compacted log');
  }

  /** A log that was changed meanwhile gets another turn; a disk that fails takes its logs with it. */
  #failed(log: PartitionLog, error: unknown): void {
    const { topic, partition, compaction } = log;
    if (error instanceof StorageError || (error instanceof CleaningFailure && error.kind === 'aborted')) return;
    if (error instanceof CleaningFailure && error.kind === 'storage') {
      compaction.storageFailed(error);
      return;
    }
    compaction.isUncleanable = true;
    const message = 'a log cannot be cleaned: it is left as it is until the next start';
    this.#surroundings.logger.error({ err: error, topic, partition }, message);
  }
}

/** Whether nobody has cleaned the log since. */
function isAsFound({ log, home, dirtiness }: DirtyLog): boolean {
  return firstDirtyOffset(home.cleanedOffset(log), log) === dirtiness.firstDirtyOffset;
}
