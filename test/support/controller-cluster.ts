import {
  ConnectionError,
  type Address,
  type CallOptions,
  type Connection,
  type Connector,
} from '../../shared/connection/connection.ts';
import type { Api, RequestInput, RequestOf, ResponseOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { LeaderAndIsr } from '../../shared/protocol/messages/leader-and-isr.ts';
import { StopReplica } from '../../shared/protocol/messages/stop-replica.ts';
import { UpdateMetadata } from '../../shared/protocol/messages/update-metadata.ts';
import { silentLogger, type Logger } from '../../shared/runtime/logger.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { ZooKeeperStore, type LeaderAndIsr as State, type ReplicaAssignment } from '../../shared/zookeeper/store.ts';
import { BrokerConfig } from '../../broker/config/broker-config.ts';
import { Controller } from '../../broker/controller/controller.ts';
import type { Failpoints } from '../../broker/controller/failpoints.ts';
import { randomTopicId } from '../../broker/metadata/topic-id.ts';
import { isZooKeeperError, type ZooKeeper } from '../../shared/zookeeper/zookeeper.ts';
import { MemoryZooKeeper, type MemoryZooKeeperClient } from './memory-zookeeper.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualTime } from './virtual-time.ts';

type PartitionRequest = RequestOf<typeof LeaderAndIsr>['topicStates'][number]['partitionStates'][number];

/** What a broker of these tests keeps: just enough to obey the controller, and a log of what it was sent. */
export class StubBroker {
  readonly id: number;
  readonly cluster: ControllerCluster;
  readonly controller: Controller;
  readonly store: ZooKeeperStore;
  readonly zooKeeper: MemoryZooKeeperClient;
  epoch = -1n;
  controllerEpoch = 0;
  running = true;
  /** Answers nothing, as if it hung. */
  mute = false;
  readonly received: { api: Api; request: unknown }[] = [];
  /** Replicas it holds, by partition key, as LeaderAndIsr said. */
  readonly replicas = new Map<string, PartitionRequest>();
  /** Everything it knows of the cluster's partitions, as UpdateMetadata said. */
  readonly metadata = new Map<string, { leader: number; isr: number[]; offlineReplicas: number[] }>();
  knownBrokers: number[] = [];
  /** Partitions in failed log directories. */
  readonly failedDirs = new Set<string>();
  /** Deletions that go wrong. */
  readonly undeletable = new Set<string>();

  constructor(cluster: ControllerCluster, id: number, zooKeeper: MemoryZooKeeperClient, failpoints?: Failpoints) {
    this.id = id;
    this.cluster = cluster;
    this.zooKeeper = zooKeeper;
    const { time, logger } = cluster;
    this.store = new ZooKeeperStore(zooKeeper, { clock: time, timers: time, logger });
    this.controller = new Controller({
      brokerId: id,
      store: this.store,
      connector: cluster.connector(),
      config: cluster.config,
      clock: time,
      timers: time,
      random: cluster.random,
      logger: logger.child({ broker: id }),
      ...(failpoints === undefined ? {} : { failpoints }),
    });
    zooKeeper.onSession(event => {
      if (event === 'expired') void this.controller.handleSessionExpired();
      if (event === 'connected') void this.#rejoin();
    });
  }

  async register(): Promise<void> {
    const endpoint = {
      listenerName: 'PLAINTEXT',
      securityProtocol: 'PLAINTEXT',
      host: 'localhost',
      port: 9000 + this.id,
    };
    this.epoch = await this.store.brokers.register({
      id: this.id,
      endpoints: [endpoint],
      rack: null,
      jmxPort: -1,
      timestampMs: this.cluster.time.now(),
    });
  }

  /** A broker that is stopped meanwhile, or whose session ends again, leaves it at that. */
  async #rejoin(): Promise<void> {
    try {
      await this.register();
      await this.controller.handleNewSession();
    } catch (error) {
      if (!isZooKeeperError(error, 'CLOSED', 'SESSION_EXPIRED')) throw error;
    }
  }

  requests<A extends Api>(api: A): RequestOf<A>[] {
    return this.received.filter(entry => entry.api.key === api.key).map(entry => entry.request as RequestOf<A>);
  }

  /** The process dies: its session ends by its timeout, its connections break. */
  crash(): void {
    this.running = false;
    this.zooKeeper.abandon();
  }

  /** Leaves properly: the session ends at once. */
  async stop(): Promise<void> {
    this.running = false;
    await this.controller.shutdown();
    await this.zooKeeper.close();
  }

  handle(api: Api, request: unknown): unknown {
    this.received.push({ api, request });
    const { brokerEpoch, controllerEpoch } = request as { brokerEpoch: bigint; controllerEpoch: number };
    const empty = { partitionErrors: [], topics: [] };
    if (brokerEpoch < this.epoch) return { errorCode: ErrorCode.STALE_BROKER_EPOCH, ...empty };
    if (controllerEpoch < this.controllerEpoch) return { errorCode: ErrorCode.STALE_CONTROLLER_EPOCH, ...empty };
    this.controllerEpoch = controllerEpoch;
    if (api.key === LeaderAndIsr.key) return this.#leaderAndIsr(request as RequestOf<typeof LeaderAndIsr>);
    if (api.key === StopReplica.key) return this.#stopReplica(request as RequestOf<typeof StopReplica>);
    return this.#updateMetadata(request as RequestOf<typeof UpdateMetadata>);
  }

  #leaderAndIsr({ topicStates }: RequestOf<typeof LeaderAndIsr>): ResponseOf<typeof LeaderAndIsr> {
    const topics = topicStates.map(({ topicName, topicId, partitionStates }) => ({
      topicId,
      partitionErrors: partitionStates.map(state => ({
        topicName: '',
        partitionIndex: state.partitionIndex,
        errorCode: this.#become(partitionKey(topicName, state.partitionIndex), state),
      })),
    }));
    return { errorCode: 0, partitionErrors: [], topics };
  }

  #become(key: string, state: PartitionRequest): number {
    if (this.failedDirs.has(key)) return ErrorCode.KAFKA_STORAGE_ERROR;
    const current = this.replicas.get(key);
    if (current !== undefined && state.leaderEpoch <= current.leaderEpoch) return ErrorCode.STALE_CONTROLLER_EPOCH;
    this.replicas.set(key, state);
    return ErrorCode.NONE;
  }

  #stopReplica({ topicStates }: RequestOf<typeof StopReplica>): ResponseOf<typeof StopReplica> {
    const partitionErrors = topicStates.flatMap(({ topicName, partitionStates }) =>
      partitionStates.map(({ partitionIndex, deletePartition }) => {
        const key = partitionKey(topicName, partitionIndex);
        const fails = deletePartition && this.undeletable.has(key);
        if (deletePartition && !fails) this.replicas.delete(key);
        const errorCode = fails ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE;
        return { topicName, partitionIndex, errorCode };
      }),
    );
    return { errorCode: 0, partitionErrors };
  }

  #updateMetadata(request: RequestOf<typeof UpdateMetadata>): ResponseOf<typeof UpdateMetadata> {
    if (request.type === 2) this.metadata.clear();
    this.knownBrokers = request.liveBrokers.map(({ id }) => id);
    for (const { topicName, partitionStates } of request.topicStates) {
      for (const { partitionIndex, leader, isr, offlineReplicas } of partitionStates) {
        const key = partitionKey(topicName, partitionIndex);
        if (leader === -2) this.metadata.delete(key);
        else this.metadata.set(key, { leader, isr, offlineReplicas });
      }
    }
    return { errorCode: 0 };
  }
}

/** Brokers that are nothing but controllers and stubs, on one in-memory ZooKeeper and in virtual time. */
export class ControllerCluster {
  readonly time = new VirtualTime();
  readonly random = seededRandom(1);
  readonly logger: Logger = silentLogger;
  readonly config: BrokerConfig;
  readonly brokers = new Map<number, StubBroker>();
  readonly #zooKeeper: MemoryZooKeeper;
  /** A client of the test's own, and a store over it. */
  client!: ZooKeeper;
  store!: ZooKeeperStore;

  constructor(settings: Record<string, string> = {}) {
    this.config = BrokerConfig.load({ text: 'zookeeper.connect=test:1', overrides: settings });
    this.#zooKeeper = new MemoryZooKeeper({
      clock: this.time,
      timers: this.time,
      sessionTimeoutMs: 1000,
      latencyMs: () => 1,
    });
  }

  static async start(ids: readonly number[], settings: Record<string, string> = {}): Promise<ControllerCluster> {
    const cluster = new ControllerCluster(settings);
    await cluster.prepare();
    for (const id of ids) await cluster.startBroker(id);
    return cluster;
  }

  async prepare(): Promise<void> {
    const { time, logger } = this;
    this.client = await this.run(this.#zooKeeper.connect());
    this.store = new ZooKeeperStore(this.client, { clock: time, timers: time, logger });
    await this.run(this.store.ensurePersistentPaths());
  }

  /** Moves time on until the promise has settled. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = () => void (settled = true);
    promise.then(done, done);
    await this.time.until('a call settles', () => settled);
    return promise;
  }

  async startBroker(id: number, failpoints?: Failpoints): Promise<StubBroker> {
    const broker = new StubBroker(this, id, await this.run(this.#zooKeeper.connect()), failpoints);
    this.brokers.set(id, broker);
    await this.run(broker.register());
    await this.run(broker.controller.startup());
    return broker;
  }

  broker(id: number): StubBroker {
    return this.brokers.get(id)!;
  }

  /** The broker that is in office; throws when there is none or more than one. */
  get controller(): StubBroker {
    const active = [...this.brokers.values()].filter(broker => broker.running && broker.controller.isActive);
    if (active.length !== 1) throw new Error(`${active.length} active controllers`);
    return active[0]!;
  }

  /** Creates a topic as CreateTopics does; `replicas` by partition. */
  async createTopic(
    topic: string,
    replicas: readonly (readonly number[])[],
    config: Record<string, string> = {},
  ): Promise<void> {
    const partitions = new Map(replicas.map((list, index) => [index, assigned(list)]));
    const topicId = randomTopicId(this.random);
    await this.run(this.store.topics.create(topic, { topicId, partitions }, new Map(Object.entries(config))));
  }

  /** The state znode of a partition. */
  async state(topic: string, partition = 0): Promise<State | undefined> {
    return (await this.run(this.store.partitions.states([{ topic, partition }]))).get(partitionKey(topic, partition));
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    await this.time.until(what, condition);
  }

  /** Waits until the partition's znode is as described, and returns it. */
  async untilState(topic: string, partition: number, expected: Partial<State>): Promise<State> {
    let last: State | undefined;
    const read = async () => {
      last = (await this.store.partitions.states([{ topic, partition }])).get(partitionKey(topic, partition));
      const found = last as Record<string, unknown> | undefined;
      return (
        found !== undefined &&
        Object.entries(expected).every(([k, v]) => JSON.stringify(found[k]) === JSON.stringify(v))
      );
    };
    try {
      await this.time.until('state', read);
    } catch {
      throw new Error(`${topic}-${partition} is ${JSON.stringify(last)}, not ${JSON.stringify(expected)}`);
    }
    return last!;
  }

  /** The assignment of a partition, as its topic's znode has it. */
  async assignment(topic: string, partition = 0): Promise<ReplicaAssignment | undefined> {
    return (await this.store.topics.get(topic))?.partitions.get(partition);
  }

  /** Has the partition's leader propose all who follow it in its epoch; nothing happens while that cannot be. */
  async proposeIsr(topic: string, partition = 0): Promise<void> {
    const key = partitionKey(topic, partition);
    const state = (await this.store.partitions.states([{ topic, partition }])).get(key);
    const topicId = (await this.store.topics.get(topic))?.topicId;
    const leader = this.brokers.get(state?.leader ?? -1);
    const known = leader?.replicas.get(key);
    const active = [...this.brokers.values()].find(({ running, controller }) => running && controller.isActive);
    if (state === undefined || known?.leaderEpoch !== state.leaderEpoch || leader?.running !== true) return;
    const isInSync = (id: number) =>
      this.broker(id).running && this.broker(id).replicas.get(key)?.leaderEpoch === state.leaderEpoch;
    const newIsr = known.replicas.filter(id => id === state.leader || isInSync(id));
    const isNew = newIsr.some(id => !state.isr.includes(id));
    if (!isNew || active === undefined || topicId === undefined || topicId === null) return;
    const proposal = {
      partitionIndex: partition,
      leaderEpoch: state.leaderEpoch,
      partitionEpoch: state.partitionEpoch,
      newIsr: [],
      newIsrWithEpochs: newIsr.map(brokerId => ({ brokerId, brokerEpoch: -1n })),
      leaderRecoveryState: 0,
    };
    const topics = [{ topicName: '', topicId, partitions: [proposal] }];
    // Not waited for: a controller that dies over it never answers.
    void active.controller.alterPartition({ brokerId: state.leader, brokerEpoch: leader.epoch, topics }, 3);
  }

  connector(): Connector {
    return { connect: address => this.#connect(address) };
  }

  async #connect({ port }: Address): Promise<Connection> {
    await this.time.sleep(1);
    const broker = this.brokers.get(port - 9000);
    if (broker?.running !== true) throw new ConnectionError('REFUSED', `nobody listens at ${port}`);
    return new StubConnection(this, broker);
  }
}

/** Calls go through the codec in the version asked for, so that what cannot be sent fails here. */
class StubConnection implements Connection {
  readonly peer: string;
  closed = false;
  readonly #cluster: ControllerCluster;
  readonly #broker: StubBroker;

  constructor(cluster: ControllerCluster, broker: StubBroker) {
    this.#cluster = cluster;
    this.#broker = broker;
    this.peer = `localhost:${9000 + broker.id}`;
  }

  versions(api: Api): { min: number; max: number } {
    return api.versions;
  }

  async call<A extends Api>(
    api: A,
    request: RequestInput<A>,
    options: CallOptions = {},
  ): Promise<ResponseOf<A> | undefined> {
    const version = options.version ?? api.versions.max;
    const decoded = api.request.decode(Buffer.concat(api.request.encode(request, version)), version);
    await this.#cluster.time.sleep(1);
    const current = this.#cluster.brokers.get(this.#broker.id);
    if (this.closed || !this.#broker.running || current !== this.#broker) {
      throw new ConnectionError('CLOSED', `${this.peer} has gone`);
    }
    if (this.#broker.mute) {
      await this.#cluster.time.sleep(options.timeoutMs ?? 30_000);
      throw new ConnectionError('TIMED_OUT', `${this.peer} does not answer`);
    }
    const response = this.#broker.handle(api, decoded);
    await this.#cluster.time.sleep(1);
    return response as ResponseOf<A>;
  }

  close(): void {
    this.closed = true;
  }

  onClose(): void {}
}

export function assigned(replicas: readonly number[]): ReplicaAssignment {
  return { replicas, adding: [], removing: [] };
}
