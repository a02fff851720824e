import type { Connector } from '../../shared/connection/connection.ts';
import { BufferPool } from '../../shared/memory/buffer-pool.ts';
import type { Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import { Fetcher, type FetcherSettings } from './fetcher.ts';
import type { Following } from './followed-partition.ts';
import { LeaderEndpoint } from './leader-endpoint.ts';
import type { Partition } from './partition.ts';
import type { ReplicationThrottle } from './replication-throttle.ts';

export interface FetcherManagerOptions {
  readonly brokerId: number;
  readonly brokerEpoch: () => bigint;
  readonly metadata: MetadataCache;
  readonly connector: Connector;
  /** The inter-broker listener. */
  readonly listenerName: string;
  /** `num.replica.fetchers`: connections to each leader broker; asked anew by `resize`. */
  readonly fetchersPerLeader: () => number;
  /** `replica.socket.timeout.ms` */
  readonly timeoutMs: number;
  readonly settings: FetcherSettings;
  readonly throttle: ReplicationThrottle;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly onReplicatedIn: (topic: string, bytes: number, isReassignment: boolean) => void;
}

/** A partition to be followed, and whom. */
export interface FollowingOf extends Following {
  /** Broker id. */
  readonly leader: number;
}

/** What may lie idle of the memory for answers: a few of those that are ten times as large as the usual ones. */
const IDLE_BYTES = 16 << 20;

/** All that this broker follows: a few fetchers for each leader (Kafka: `ReplicaFetcherManager`). */
export class FetcherManager {
  readonly #options: FetcherManagerOptions;
  #fetchersPerLeader: number;
  /** By `leader-index`. */
  readonly #fetchers = new Map<string, Fetcher>();
  /** Keys of the partitions that cannot be followed until the controller says more. */
  readonly #failed = new Set<string>();
  readonly #pool = new BufferPool(IDLE_BYTES);

  constructor(options: FetcherManagerOptions) {
    this.#options = options;
    this.#fetchersPerLeader = options.fetchersPerLeader();
  }

  /** Partitions that cannot be followed until the next LeaderAndIsr. */
  get failedCount(): number {
    return this.#failed.size;
  }

  /** Connections to leaders. */
  get fetcherCount(): number {
    return this.#fetchers.size;
  }

  /** Whether the partition is being followed. */
  follows({ key }: Partition): boolean {
    for (const fetcher of this.#fetchers.values()) if (fetcher.has(key)) return true;
    return false;
  }

  /** Begins to follow. A partition must not be followed already: `remove` it first. */
  add(followings: Iterable<FollowingOf>): void {
    for (const following of followings) this.#fetcherFor(following).add(following);
  }

  /** Stops to follow, and forgets failures; resolves when nothing is being done to the partitions' logs any more. */
  async remove(partitions: Iterable<Partition>): Promise<void> {
    const keys = Array.from(partitions, ({ key }) => key);
    for (const key of keys) this.#failed.delete(key);
    await Promise.all(Array.from(this.#fetchers.values(), fetcher => fetcher.remove(keys)));
  }

  /** Closes the connections to leaders of whom nothing is followed any more. */
  async stopIdle(): Promise<void> {
    const idle = [...this.#fetchers].filter(([, fetcher]) => fetcher.size === 0);
    for (const [key] of idle) this.#fetchers.delete(key);
    await Promise.all(idle.map(([, fetcher]) => fetcher.stop()));
  }

  /** Stops everything; resolves when nothing is being done to any log any more. */
  async shutdown(): Promise<void> {
    const fetchers = [...this.#fetchers.values()];
    this.#fetchers.clear();
    await Promise.all(fetchers.map(fetcher => fetcher.stop()));
  }

  /** Spreads what is followed over as many connections as are wanted now; it goes on from where it is. */
  async resize(): Promise<void> {
    if (this.#fetchersPerLeader === this.#options.fetchersPerLeader()) return;
    this.#fetchersPerLeader = this.#options.fetchersPerLeader();
    const followings = [...this.#fetchers.values()].flatMap(fetcher => fetcher.followings());
    await this.shutdown();
    this.add(followings.map(following => ({ ...following, leader: following.partition.leader })));
  }

  #fetcherFor({ partition, leader }: FollowingOf): Fetcher {
    const key = `${leader}-${fetcherIndex(partition.topic, partition.partition, this.#fetchersPerLeader)}`;
    let fetcher = this.#fetchers.get(key);
    if (fetcher === undefined) this.#fetchers.set(key, (fetcher = this.#createFetcher(leader)));
    return fetcher;
  }

  #createFetcher(leaderId: number): Fetcher {
    const { brokerId, brokerEpoch, metadata, connector, listenerName, timeoutMs, settings, timers } = this.#options;
    return new Fetcher({
      brokerId,
      brokerEpoch,
      leader: new LeaderEndpoint({
        brokerId,
        connector,
        address: () => metadata.endpoint(leaderId, listenerName),
        timeoutMs,
      }),
      settings,
      throttle: this.#options.throttle,
      pool: this.#pool,
      timers,
      logger: this.#options.logger.child({ leader: leaderId }),
      onFailed: ({ key }) => this.#failed.add(key),
      onReplicatedIn: this.#options.onReplicatedIn,
    });
  }
}

/** Which of the fetchers of a leader a partition goes to (Kafka: `AbstractFetcherManager.getFetcherId`). */
export function fetcherIndex(topic: string, partition: number, fetchers: number): number {
  const hash = (Math.imul(31, javaHash(topic)) + partition) | 0;
  // As Kafka's `Utils.abs`, which makes 0 of the one integer that has no positive twin.
  return (Math.abs(hash) % 2 ** 31) % fetchers;
}

/** `String.hashCode` of Java. */
function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}
