import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Contact } from './follower-state.ts';
import type { FetchedPartition, FetchTarget, FetchView } from './fetch-target.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import type { Partition, PartitionWatcher } from './partition.ts';

/** What sessions need of the broker. */
export interface SessionSurroundings {
  readonly partitions: HostedPartitions;
  /** Has the fetches that wait under `key` tried again, soon. */
  wake(key: string): void;
}

/** Of an offset that the fetcher was never told. */
const NEVER_SENT = -1;

/** What the session knows of one of its partitions. */
class SessionEntry implements FetchTarget, PartitionWatcher {
  readonly topicId: string;
  readonly partition: number;
  topic: string | null;
  fetchOffset = 0;
  currentLeaderEpoch = -1;
  lastFetchedEpoch = -1;
  logStartOffset = -1;
  maxBytes = 0;
  /** What the fetcher was told last. */
  sentHighWatermark = NEVER_SENT;
  sentLogStartOffset = NEVER_SENT;
  /** The partition that tells of its changes; null while none is hosted here. */
  watched: Partition | null = null;
  readonly #session: FetchSession;

  constructor(session: FetchSession, target: FetchTarget) {
    this.#session = session;
    this.topic = target.topic;
    this.topicId = target.topicId;
    this.partition = target.partition;
    this.update(target);
  }

  update(target: FetchTarget): void {
    this.topic ??= target.topic;
    this.fetchOffset = target.fetchOffset;
    this.currentLeaderEpoch = target.currentLeaderEpoch;
    this.lastFetchedEpoch = target.lastFetchedEpoch;
    this.logStartOffset = target.logStartOffset;
    this.maxBytes = target.maxBytes;
  }

  partitionChanged(): void {
    this.#session.partitionChanged(this);
  }

  /** Whether the fetcher has to hear of what was found. */
  isNews(found: FetchedPartition): boolean {
    const { errorCode, divergingEpoch, preferredReadReplica, sizeInBytes, highWatermark, logStartOffset } = found;
    const isEventful = sizeInBytes > 0 || errorCode !== ErrorCode.NONE || divergingEpoch !== null;
    return (
      isEventful ||
      preferredReadReplica >= 0 ||
      this.sentHighWatermark !== highWatermark ||
      this.sentLogStartOffset !== logStartOffset
    );
  }

  noteSent({ errorCode, divergingEpoch, highWatermark, logStartOffset }: FetchedPartition): void {
    // After an error or a divergence the offsets are to be told anew.
    const isRegular = errorCode === ErrorCode.NONE && divergingEpoch === null;
    this.sentHighWatermark = isRegular ? highWatermark : NEVER_SENT;
    this.sentLogStartOffset = logStartOffset;
  }
}

/** How a session's maps name a partition: by id where the fetcher uses ids. */
function entryKey({ topic, topicId, partition }: FetchTarget, usesTopicIds: boolean): string {
  return `${usesTopicIds ? topicId : topic}-${partition}`;
}

/**
 * The broker's side of a fetch session (KIP-227): the fetcher names its partitions once and then only what changes, and
 * is answered only about what has changed.
 *
 * Kafka walks over all partitions of the session at each fetch. Here a partition that has nothing new is quiet, and is
 * not looked at until it says that it changed; so a fetch costs what has changed, however many partitions there are:
 *
 *     listed in a request ─→ lively ──nothing to read, fetcher knows the offsets──→ quiet
 *                              ↑───────────────── partitionChanged() ─────────────────┘
 *
 * The lively ones are kept in the order of reading; what was answered with records goes to the end (fairness).
 */
export class FetchSession implements FetchView {
  readonly id: number;
  readonly usesTopicIds: boolean;
  /** A follower's session, which consumers cannot push out of the cache. */
  readonly isPrivileged: boolean;
  /** Broker id of the follower; negative: a consumer. */
  readonly replicaId: number;
  readonly contact: Contact;
  /** The epoch that the next request has to carry. */
  nextEpoch = 1;
  readonly #surroundings: SessionSurroundings;
  readonly #entries = new Map<string, SessionEntry>();
  readonly #lively = new Set<SessionEntry>();
  readonly #wakeKey: string;

  constructor(id: number, replicaId: number, usesTopicIds: boolean, surroundings: SessionSurroundings) {
    this.id = id;
    this.replicaId = replicaId;
    this.isPrivileged = replicaId >= 0;
    this.usesTopicIds = usesTopicIds;
    this.contact = { lastFetchMs: -Infinity };
    this.#surroundings = surroundings;
    this.#wakeKey = `fetch session ${id}`;
  }

  /** Number of partitions. */
  get size(): number {
    return this.#entries.size;
  }

  /** Adds a partition, or changes what is asked of it. */
  put(target: FetchTarget): void {
    const key = entryKey(target, this.usesTopicIds);
    let entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, (entry = new SessionEntry(this, target)));
    else entry.update(target);
    this.#lively.add(entry);
  }

  forget(target: FetchTarget): void {
    const key = entryKey(target, this.usesTopicIds);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#lively.delete(entry);
    this.#unwatch(entry);
  }

  /** Lets go of all partitions: the session is over. */
  close(): void {
    for (const entry of this.#entries.values()) this.#unwatch(entry);
    this.#entries.clear();
    this.#lively.clear();
  }

  targets(): readonly FetchTarget[] {
    const lively = [...this.#lively];
    for (const entry of lively) this.#resolve(entry);
    return lively;
  }

  /** A topic may become known, and a partition hosted or replaced, while it is in the session. */
  #resolve(entry: SessionEntry): void {
    entry.topic ??= this.#surroundings.partitions.topicName(entry.topicId);
    const hosted =
      entry.topic === null ? null : (this.#surroundings.partitions.get(entry.topic, entry.partition) ?? null);
    if (hosted === entry.watched) return;
    this.#unwatch(entry);
    entry.watched = hosted;
    hosted?.watch(entry);
  }

  #unwatch(entry: SessionEntry): void {
    entry.watched?.unwatch(entry);
    if (this.isPrivileged) entry.watched?.leadership?.settleFollower(this.replicaId);
    entry.watched = null;
  }

  watchKeys(): readonly string[] {
    return [this.#wakeKey];
  }

  partitionChanged(entry: SessionEntry): void {
    this.#lively.add(entry);
    this.#surroundings.wake(this.#wakeKey);
  }

  nothingNew(target: FetchTarget, highWatermark: number, logStartOffset: number): void {
    if (!(target instanceof SessionEntry) || target.watched === null) return;
    const isKnown = target.sentHighWatermark === highWatermark && target.sentLogStartOffset === logStartOffset;
    if (isKnown) this.#lively.delete(target);
  }

  /**
   * What of a fetch's outcome is news to the fetcher, who is taken to know it from now on.
   * @param all whether everything is news: the fetcher's request was a full one
   */
  news(fetched: readonly FetchedPartition[], all: boolean): FetchedPartition[] {
    return fetched.filter(found => {
      if (!(found.target instanceof SessionEntry)) return true;
      const isNews = all || found.target.isNews(found);
      found.target.noteSent(found);
      const hasRecords = found.sizeInBytes > 0;
      if (hasRecords && this.#lively.delete(found.target)) this.#lively.add(found.target);
      return isNews;
    });
  }
}
