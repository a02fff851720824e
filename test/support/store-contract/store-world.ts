import { systemClock, systemTimers, type Clock } from '../../../shared/runtime/clock.ts';
import { silentLogger } from '../../../shared/runtime/logger.ts';
import { ZooKeeperStore, type LeaderAndIsr, type TopicAssignment } from '../../../shared/zookeeper/store.ts';
import type { WatchEvent, ZooKeeper } from '../../../shared/zookeeper/zookeeper.ts';
import { FaultyZooKeeper } from '../zookeeper-faults.ts';

/** An implementation of ZooKeeper. */
export interface StoreSubject {
  /** A client in an empty tree that it shares with all clients of the same `tree`. */
  connect(tree: string): Promise<ZooKeeper>;
  expire(client: ZooKeeper): Promise<void>;
  close(): Promise<void>;
}

export const TOPIC_ID = 'fRdKkNXPQ3iNVlOqkYIyRA';

/** What a test of the store has: a tree of its own, a client of it that can lose calls, and the store over that. */
export class StoreWorld {
  zk!: FaultyZooKeeper;
  store!: ZooKeeperStore;
  #subject!: StoreSubject;
  #tree = '';
  #trees = 0;
  #clients: ZooKeeper[] = [];

  begin(subject: StoreSubject): void {
    this.#subject = subject;
  }

  /** Goes on in a tree that nobody has written to. */
  async enterEmptyTree(): Promise<void> {
    this.#tree = `/store-${this.#trees++}`;
    this.zk = await this.connect();
    this.store = this.storeOver(this.zk);
  }

  readonly connect = async (): Promise<FaultyZooKeeper> => {
    const client = await this.#subject.connect(this.#tree);
    this.#clients.push(client);
    return new FaultyZooKeeper(client);
  };

  readonly storeOver = (client: ZooKeeper, clock: Clock = systemClock): ZooKeeperStore =>
    new ZooKeeperStore(client, { clock, timers: systemTimers, logger: silentLogger });

  readonly json = async (path: string): Promise<Record<string, unknown>> => {
    const node = await this.zk.getData(path);
    return JSON.parse(node!.data!.toString()) as Record<string, unknown>;
  };

  /** Ends the session of `zk`. */
  expire(): Promise<void> {
    return this.#subject.expire(this.zk.inner);
  }

  async leave(): Promise<void> {
    await Promise.all(this.#clients.map(client => client.close()));
    this.#clients = [];
  }
}

export function watching() {
  const events: WatchEvent[] = [];
  return { events, watcher: (event: WatchEvent) => void events.push(event) };
}

/** Elects a controller and returns its fence, with a fence that is out of date. */
export async function elect(store: ZooKeeperStore) {
  const former = await store.controller.elect(0, 0);
  await store.controller.resign(former!.epochZkVersion);
  const fence = await store.controller.elect(1, 0);
  return { fence: fence!, stale: former! };
}

export function assignment(...replicaSets: number[][]): TopicAssignment {
  return {
    topicId: TOPIC_ID,
    partitions: new Map(replicaSets.map((replicas, id) => [id, { replicas, adding: [], removing: [] }])),
  };
}

export function state(fields: Partial<LeaderAndIsr> = {}): LeaderAndIsr {
  return {
    leader: 1,
    leaderEpoch: 0,
    isr: [1, 2],
    controllerEpoch: 2,
    partitionEpoch: 0,
    recovering: false,
    ...fields,
  };
}
