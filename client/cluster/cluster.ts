import {
  ConnectionError,
  type Address,
  type CallOptions,
  type Connection,
  type Connector,
} from '../../shared/connection/connection.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { Metadata } from '../../shared/protocol/messages/metadata.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import { backoffMs } from '../backoff.ts';
import { KafkaError, timedOut } from '../errors.ts';
import type { ClientRuntime } from '../runtime.ts';
import { ClusterView, type BrokerInfo, type PartitionInfo, type TopicInfo } from './cluster-view.ts';
import { clientClosed, ConnectionPool } from './connection-pool.ts';
import { LATE, within } from '../within.ts';

export interface ClusterOptions {
  readonly bootstrap: readonly Address[];
  readonly connector: Connector;
  readonly metadataMaxAgeMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  readonly reconnectBackoffMs: number;
  readonly reconnectBackoffMaxMs: number;
  /** Whether asking for a topic's metadata may create it. */
  readonly allowAutoCreate: boolean;
}

/**
 * A client's view of the cluster and its way in: which broker leads what, connections by broker, and the refreshing
 * of both. Shared by producer, consumer and admin; owns the metadata and the connections.
 */
export class Cluster {
  readonly runtime: ClientRuntime;
  readonly #options: ClusterOptions;
  readonly #pool: ConnectionPool;
  /** Where answers come in order, a fetch that waits would hold a heartbeat up: coordinators are spoken to apart. */
  readonly #coordinators: ConnectionPool;
  readonly #view = new ClusterView();
  /** Topics that this client works with: what every refresh asks for. */
  readonly #wanted = new Set<string>();
  #refreshing: Promise<Map<string, number>> | null = null;
  #refreshedAt = -Infinity;
  #stale = true;
  #closed = false;

  constructor(options: ClusterOptions, runtime: ClientRuntime) {
    this.#options = options;
    this.runtime = runtime;
    this.#pool = new ConnectionPool(options.connector, runtime, options);
    this.#coordinators = options.connector.answersInOrder
      ? new ConnectionPool(options.connector, runtime, options)
      : this.#pool;
  }

  get clusterId(): string | null {
    return this.#view.clusterId;
  }

  get controllerId(): number {
    return this.#view.controllerId;
  }

  brokers(): BrokerInfo[] {
    return [...this.#view.brokers.values()].sort((a, b) => a.id - b.id);
  }

  /** What is known of a partition right now, without asking anybody; null if nothing is. */
  partition(topic: string, partition: number): PartitionInfo | null {
    return this.#view.partition(topic, partition);
  }

  /** What is known of a topic right now, without asking anybody; null if nothing is. */
  topicIfKnown(name: string): TopicInfo | null {
    return this.#view.topics.get(name) ?? null;
  }

  /** Says that something a broker answered contradicts what is known here: the next look asks again. */
  invalidate(): void {
    this.#stale = true;
  }

  /** Monotonic time of the last answer to a metadata request; -Infinity before the first. */
  get refreshedAt(): number {
    return this.#refreshedAt;
  }

  /** Whether what is known should be asked for again. */
  get isStale(): boolean {
    return this.#stale || this.runtime.clock.monotonic() - this.#refreshedAt > this.#options.metadataMaxAgeMs;
  }

  /**
   * A topic's metadata, asking until a broker knows it.
   * @throws KafkaError at once for an invalid name or missing rights; UNKNOWN_TOPIC_OR_PARTITION or a timeout at `deadline`
   */
  async topic(name: string, deadline: number): Promise<TopicInfo> {
    const { clock, timers } = this.runtime;
    this.#wanted.add(name);
    let lastError: unknown;
    for (let attempt = 1; ; attempt++) {
      const known = this.#view.topics.get(name);
      if (known !== undefined && !this.isStale) return known;
      try {
        const codes = await within(this.refresh(), deadline - clock.monotonic(), timers);
        const found = this.#view.topics.get(name);
        if (found !== undefined) return found;
        const code = codes === LATE ? undefined : codes.get(name);
        lastError = code === undefined ? null : new KafkaError(code);
        if (lastError instanceof KafkaError && !lastError.retriable) throw lastError;
      } catch (error) {
        if (error instanceof KafkaError && !error.retriable) throw error;
        lastError = error;
      }
      await this.pause(attempt, deadline, lastError, `no metadata for topic ${name}`);
    }
  }

  /** Forgets that this client works with a topic. */
  release(topic: string): void {
    this.#wanted.delete(topic);
    this.#view.topics.delete(topic);
  }

  /** Asks any broker for the wanted topics; calls made meanwhile share the answer. Resolves with topic → error code. */
  refresh(): Promise<Map<string, number>> {
    this.#refreshing ??= this.#fetchMetadata([...this.#wanted]).finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /** These topics, or all (null), as any broker knows them; does not add them to the wanted ones. Unknown ones are missing. */
  async describeTopics(names: readonly string[] | null): Promise<TopicInfo[]> {
    const response = await this.#metadataCall(names);
    const all = new ClusterView();
    all.apply(response);
    this.#view.apply({ ...response, topics: [] });
    return [...all.topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * What one broker, and no other, knows of these topics; those that it does not know are missing.
   * @throws ConnectionError when it cannot be reached or does not answer in time
   */
  async topicsAt(brokerId: number, names: readonly string[], timeoutMs: number): Promise<Map<string, TopicInfo>> {
    const view = new ClusterView();
    view.apply(await this.#metadataFrom(await this.broker(brokerId), names, { timeoutMs }));
    return view.topics;
  }

  async #fetchMetadata(topics: readonly string[]): Promise<Map<string, number>> {
    const errors = this.#view.apply(await this.#metadataCall(topics));
    this.#refreshedAt = this.runtime.clock.monotonic();
    const leaderless = topics.some(topic => this.#view.topics.get(topic)?.partitions.some(p => p.leader < 0));
    this.#stale = leaderless;
    return errors;
  }

  async #metadataCall(topics: readonly string[] | null) {
    return this.#metadataFrom(await this.any(), topics);
  }

  async #metadataFrom(connection: Connection, topics: readonly string[] | null, options: CallOptions = {}) {
    const request = {
      topics: topics?.map(name => ({ name, topicId: ZERO_UUID })) ?? null,
      allowAutoTopicCreation: this.#options.allowAutoCreate,
    };
    const response = await connection.call(Metadata, request, options);
    // A broker that has just started has not heard from the controller yet: what it says means nothing.
    if (response!.brokers.length === 0)
      throw new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE, `${connection.peer} knows no cluster yet`);
    return response!;
  }

  /** A connection to the broker with this id. @throws ConnectionError, also when the id is unknown */
  async broker(id: number): Promise<Connection> {
    return this.#pool.get(this.#address(id));
  }

  /** The same, for what must not wait behind a long poll. */
  async coordinator(id: number): Promise<Connection> {
    return this.#coordinators.get(this.#address(id));
  }

  /**
   * Like `broker`, for an id that comes from the user: who is unknown may have started since the last look, and who does
   * not answer any more may have moved.
   */
  async brokerAskedFor(id: number): Promise<Connection> {
    const isKnown = this.#view.brokers.has(id);
    if (!isKnown || this.isStale) {
      await this.refresh().catch((error: unknown) => {
        if (!isKnown) throw error;
      });
    }
    return this.broker(id);
  }

  #address(id: number): BrokerInfo {
    const broker = this.#view.brokers.get(id);
    if (broker === undefined) throw new ConnectionError('REFUSED', `no address is known for broker ${id}`);
    return broker;
  }

  /**
   * A connection to whichever broker can be reached, known ones first, then the bootstrap list; random order spreads clients.
   * @throws ConnectionError; KafkaError, which is not worth a retry, when it is TLS that keeps this client out
   */
  async any(): Promise<Connection> {
    if (this.#closed) throw clientClosed();
    const known = this.#shuffle([...this.#view.brokers.values()]);
    let lastError: unknown = new ConnectionError('REFUSED', 'no bootstrap servers were given');
    for (const address of [...known, ...this.#shuffle([...this.#options.bootstrap])]) {
      try {
        return await this.#pool.get(address);
      } catch (error) {
        lastError = isInsecure(lastError) ? lastError : error;
      }
    }
    this.runtime.logger.warn({ err: lastError }, 'no broker can be reached');
    if (isInsecure(lastError)) throw new KafkaError(ErrorCode.SASL_AUTHENTICATION_FAILED, lastError.message);
    throw lastError;
  }

  /** A connection to the active controller, looking it up first if it is unknown. @throws ConnectionError or NOT_CONTROLLER */
  async controller(): Promise<Connection> {
    if (this.isStale || this.#view.controllerId < 0) await this.refresh();
    if (this.#view.controllerId < 0)
      throw new KafkaError(ErrorCode.NOT_CONTROLLER, 'the cluster has no active controller');
    return this.broker(this.#view.controllerId);
  }

  /**
   * Waits before retry number `attempt`.
   * @throws a timeout error naming `what` and the last error once `deadline` would pass; CLOSED when nothing is worth a
   * retry any more
   */
  async pause(attempt: number, deadline: number, lastError: unknown, what: string): Promise<void> {
    if (this.#closed) throw clientClosed();
    const { clock, timers, random } = this.runtime;
    const wait = backoffMs(attempt, this.#options.retryBackoffMs, this.#options.retryBackoffMaxMs, random);
    if (clock.monotonic() + wait >= deadline) {
      if (lastError instanceof KafkaError) throw lastError;
      throw timedOut(lastError instanceof Error ? `${what}: ${lastError.message}` : what);
    }
    await timers.sleep(wait);
  }

  /** What waits for an answer fails, and is not tried again. */
  close(): void {
    this.#closed = true;
    this.#pool.close();
    this.#coordinators.close();
  }

  #shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.runtime.random.int(i + 1);
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  }
}

/** Kafka: `SslAuthenticationException`, which is fatal, and for which there is no error code of its own. */
function isInsecure(error: unknown): error is ConnectionError {
  return error instanceof ConnectionError && error.code === 'INSECURE';
}
