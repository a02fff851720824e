import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { FetchedPartition, FetchTarget, FetchView } from './fetch-target.ts';
import { FetchSession, type SessionSurroundings } from './fetch-session.ts';
import type { FetchSessionCache } from './fetch-session-cache.ts';

type FetchRequest = RequestOf<typeof Fetch>;
type FetchResponse = ResponseInput<typeof Fetch>;

/** Session id of requests and answers without a session. */
const NO_SESSION = 0;
/** Session epoch of a request that names all its partitions and wants a session. */
const INITIAL_EPOCH = 0;
/** Session epoch of a request that names all its partitions and wants none. */
const FINAL_EPOCH = -1;
const MAX_EPOCH = 0x7fffffff;
/** From this version on, topics are named by id. */
const FIRST_VERSION_WITH_TOPIC_IDS = 13;

/** The epoch that follows in a session (KIP-227). */
export function nextSessionEpoch(epoch: number): number {
  if (epoch < 0) return FINAL_EPOCH;
  return epoch === MAX_EPOCH ? 1 : epoch + 1;
}

/** One fetch request, its session looked up: what to fetch, and how to answer it. */
export interface FetchContext {
  /** Not NONE: the session is not as the request thinks, and the whole answer is this error. */
  readonly errorCode: ErrorCode;
  /** What `ReplicaManager.fetch` is to be asked. */
  readonly view: FetchView;
  /** The answer, with those partitions of a fetch's outcome of which the fetcher has to hear. */
  answer(fetched: readonly FetchedPartition[]): FetchResponse;
}

/**
 * Brings Fetch requests together with their sessions (Kafka: `FetchManager.newContext`).
 *
 * | session id, epoch | meaning                                                                    |
 * |-------------------|----------------------------------------------------------------------------|
 * | 0, 0              | full request; make a session                                               |
 * | id, 0             | full request; end that session and make another                            |
 * | 0 or id, -1       | full request; end that session                                             |
 * | id, n             | incremental request: the partitions are changes to the session's           |
 */
export class FetchSessions {
  readonly #cache: FetchSessionCache;
  readonly #surroundings: SessionSurroundings;
  readonly #clock: Clock;

  constructor(cache: FetchSessionCache, surroundings: SessionSurroundings, clock: Clock) {
    this.#cache = cache;
    this.#surroundings = surroundings;
    this.#clock = clock;
  }

  /** Opens a request of this version. */
  open(request: FetchRequest, version: number): FetchContext {
    const { sessionId, sessionEpoch } = request;
    const usesTopicIds = version >= FIRST_VERSION_WITH_TOPIC_IDS;
    if (sessionEpoch !== INITIAL_EPOCH && sessionEpoch !== FINAL_EPOCH) return this.#incremental(request, usesTopicIds);
    if (sessionId !== NO_SESSION) this.#cache.remove(sessionId);
    const targets = this.#targetsOf(request);
    const session = sessionEpoch === INITIAL_EPOCH ? this.#create(targets, fetcherOf(request), usesTopicIds) : null;
    return session === null ? sessionless(targets) : inSession(session, true);
  }

  #create(targets: readonly FetchTarget[], replicaId: number, usesTopicIds: boolean): FetchSession | null {
    if (targets.length === 0) return null;
    const session = this.#cache.maybeCreate(
      this.#clock.monotonic(),
      replicaId >= 0,
      targets.length,
      id => new FetchSession(id, replicaId, usesTopicIds, this.#surroundings),
    );
    for (const target of targets) session?.put(target);
    return session;
  }

  #incremental(request: FetchRequest, usesTopicIds: boolean): FetchContext {
    const session = this.#cache.get(request.sessionId);
    if (session === undefined) return refused(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    if (session.nextEpoch !== request.sessionEpoch) return refused(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
    if (session.usesTopicIds !== usesTopicIds) return refused(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
    const targets = this.#targetsOf(request);
    for (const target of targets) session.put(target);
    for (const target of forgottenBy(request)) session.forget(target);
    if (session.size === 0) {
      this.#cache.remove(session.id);
      return sessionless([]);
    }
    session.nextEpoch = nextSessionEpoch(session.nextEpoch);
    this.#cache.touch(session.id, this.#clock.monotonic());
    return inSession(session, false);
  }

  #targetsOf({ topics }: FetchRequest): FetchTarget[] {
    return topics.flatMap(({ topic, topicId, partitions }) => {
      const name = topicId === ZERO_UUID ? topic : this.#surroundings.partitions.topicName(topicId);
      return partitions.map(
        ({ partition, fetchOffset, currentLeaderEpoch, lastFetchedEpoch, logStartOffset, partitionMaxBytes }) => ({
          topic: name,
          topicId,
          partition,
          fetchOffset,
          currentLeaderEpoch,
          lastFetchedEpoch,
          logStartOffset,
          maxBytes: partitionMaxBytes,
        }),
      );
    });
  }
}

/** Broker id of the follower that sent the request; negative: a consumer. The place of the id changed in version 15. */
export function fetcherOf({ replicaId, replicaState }: FetchRequest): number {
  return replicaState.replicaId === -1 ? replicaId : replicaState.replicaId;
}

function forgottenBy({ forgottenTopicsData }: FetchRequest): FetchTarget[] {
  const nothing = { fetchOffset: -1, currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: -1, maxBytes: 0 };
  return forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(partition => ({ ...nothing, topic, topicId, partition })),
  );
}

function inSession(session: FetchSession, isFull: boolean): FetchContext {
  return {
    errorCode: ErrorCode.NONE,
    view: session,
    answer: fetched => response(ErrorCode.NONE, session.id, session.news(fetched, isFull)),
  };
}

function sessionless(targets: readonly FetchTarget[]): FetchContext {
  return {
    errorCode: ErrorCode.NONE,
    view: listView(targets),
    answer: fetched => response(ErrorCode.NONE, NO_SESSION, fetched),
  };
}

function refused(errorCode: ErrorCode): FetchContext {
  return { errorCode, view: listView([]), answer: () => response(errorCode, NO_SESSION, []) };
}

/** The view of a fetch that is about exactly these partitions. */
export function listView(targets: readonly FetchTarget[]): FetchView {
  return {
    contact: null,
    targets: () => targets,
    watchKeys: () => targets.map(({ topic, partition }) => partitionKey(topic ?? '', partition)),
    nothingNew: () => {},
  };
}

function response(errorCode: ErrorCode, sessionId: number, fetched: readonly FetchedPartition[]): FetchResponse {
  return { errorCode, sessionId, responses: groupByTopic(fetched) };
}

type TopicResponse = FetchResponse['responses'][number];

/** In the order of reading; a topic comes once, because clients of old versions take a second time for a mistake. */
function groupByTopic(fetched: readonly FetchedPartition[]): TopicResponse[] {
  const topics = new Map<string, TopicResponse & { partitions: TopicResponse['partitions'][number][] }>();
  for (const found of fetched) {
    const { topic, topicId } = found.target;
    const key = topicId === ZERO_UUID ? (topic ?? '') : topicId;
    let entry = topics.get(key);
    if (entry === undefined) topics.set(key, (entry = { topic: topic ?? '', topicId, partitions: [] }));
    entry.partitions.push(partitionResponse(found));
  }
  return [...topics.values()];
}

function partitionResponse(found: FetchedPartition): TopicResponse['partitions'][number] {
  const { target, errorCode, highWatermark, lastStableOffset, logStartOffset, divergingEpoch, records } = found;
  const { preferredReadReplica, abortedTransactions } = found;
  return {
    partitionIndex: target.partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    ...(divergingEpoch === null ? {} : { divergingEpoch }),
    ...(preferredReadReplica < 0 ? {} : { preferredReadReplica }),
    abortedTransactions,
    records: records.length === 1 ? records[0]! : records,
  };
}
