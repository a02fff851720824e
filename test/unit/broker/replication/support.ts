import { BrokerConfig } from '../../../../broker/config/broker-config.ts';
import { MetadataCache } from '../../../../broker/metadata/metadata-cache.ts';
import { PooledAnswerMemory } from '../../../../broker/network/answer-memory.ts';
import type { AppendRequest } from '../../../../broker/replication/append-request.ts';
import type { AppendResult } from '../../../../broker/replication/append.ts';
import { fetcherOf, listView } from '../../../../broker/replication/fetch-sessions.ts';
import type { FetchParams } from '../../../../broker/replication/fetch.ts';
import type { FetchedPartition, FetchTarget } from '../../../../broker/replication/fetch-target.ts';
import { ReplicaManager } from '../../../../broker/replication/replica-manager.ts';
import type { TxnVerifier } from '../../../../broker/replication/txn-verifier.ts';
import { DEFAULT_STORAGE_OPTIONS, LogManager } from '../../../../broker/storage/log-manager.ts';
import type { PartitionLog } from '../../../../broker/storage/partition-log.ts';
import {
  ConnectionError,
  type CallOptions,
  type Connection,
  type Connector,
} from '../../../../shared/connection/connection.ts';
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from '../../../../shared/protocol/api.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { AlterPartition } from '../../../../shared/protocol/messages/alter-partition.ts';
import { Fetch } from '../../../../shared/protocol/messages/fetch.ts';
import { LeaderAndIsr } from '../../../../shared/protocol/messages/leader-and-isr.ts';
import { ListOffsets } from '../../../../shared/protocol/messages/list-offsets.ts';
import { StopReplica } from '../../../../shared/protocol/messages/stop-replica.ts';
import { ZERO_UUID } from '../../../../shared/protocol/schema.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { BUILT_IN_TOPIC_CONFIG, type TopicConfigValues } from '../../../../shared/topics/topic-config.ts';
import { partitionKey } from '../../../../shared/topics/topic-partition.ts';
import { MemoryFileSystem } from '../../../support/memory-file-system.ts';
import { POISON, PoisoningPool } from '../../../support/poisoning-pool.ts';
import { VirtualTime } from '../../../support/virtual-time.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { batchOf } from '../storage/support.ts';

export const TOPIC = 'orders';
export const TOPIC_ID = 'fRdKkNXPQ3iNVlOqkYIyRA';
const LATENCY_MS = 1;

/** A partition's state as the scripted controller keeps it. */
export interface State {
  leader: number;
  leaderEpoch: number;
  isr: number[];
  partitionEpoch: number;
  replicas: number[];
  adding: number[];
}

type AlterRequest = RequestOf<typeof AlterPartition>;
type AlterResponse = ResponseInput<typeof AlterPartition>;

/**
 * Brokers' replication rooms in one process, on virtual time and memory disks, talking through the real codec. The
 * controller is the test: it sends LeaderAndIsr, and commits proposed ISRs unless told otherwise.
 */
export class ReplicationCluster {
  readonly time = new VirtualTime();
  readonly brokers = new Map<number, ReplicaBroker>();
  readonly states = new Map<string, State>();
  readonly proposals: AlterRequest[] = [];
  /** Answers a proposal instead of committing it; null = commits after all. A promise holds the answer back. */
  onProposal: ((request: AlterRequest) => AlterResponse | Promise<AlterResponse> | null) | null = null;
  controllerEpoch = 1;
  /** The records of the tests are of 1970: retention must not see that. */
  config: TopicConfigValues = { ...BUILT_IN_TOPIC_CONFIG, 'retention.ms': -1 };
  readonly settings: Record<string, string>;
  readonly txnVerifier: TxnVerifier | null;
  readonly topicIds = new Map<string, string>([[TOPIC, TOPIC_ID]]);

  constructor(settings: Record<string, string> = {}, txnVerifier: TxnVerifier | null = null) {
    this.settings = settings;
    this.txnVerifier = txnVerifier;
  }

  static async start(
    ids: readonly number[],
    settings: Record<string, string> = {},
    txnVerifier: TxnVerifier | null = null,
  ): Promise<ReplicationCluster> {
    const cluster = new ReplicationCluster(settings, txnVerifier);
    for (const id of ids) cluster.brokers.set(id, new ReplicaBroker(id, cluster));
    for (const broker of cluster.brokers.values()) await broker.start();
    cluster.announce();
    return cluster;
  }

  broker(id: number): ReplicaBroker {
    return this.brokers.get(id)!;
  }

  /** Tells all brokers who is alive; the controller is the first of them. */
  announce(): void {
    const alive = [...this.brokers.values()].filter(broker => broker.isUp);
    const update = {
      controllerId: alive[0]?.id ?? -1,
      brokers: alive.map(({ id }) => ({
        id,
        rack: `rack-${id}`,
        endpoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'test', port: id }],
      })),
      topics: [...this.topicIds].map(([topic, topicId]) => ({
        topic,
        topicId,
        partitions: [...this.states]
          .filter(([key]) => key.startsWith(`${topic}-`))
          .map(([key, state]) => ({
            ...state,
            topic,
            partition: Number(key.slice(key.lastIndexOf('-') + 1)),
            controllerEpoch: this.controllerEpoch,
            offlineReplicas: [],
          })),
      })),
    };
    for (const broker of alive) broker.metadata.apply(update);
  }

  /** Creates a partition, or gives it a new leader in the next epoch. */
  async elect(leader: number, options: Partial<State> & { topic?: string; partition?: number } = {}): Promise<State> {
    const { topic = TOPIC, partition = 0, ...changes } = options;
    const key = partitionKey(topic, partition);
    const known = this.states.get(key);
    const replicas = changes.replicas ?? known?.replicas ?? [...this.brokers.keys()];
    const state: State = {
      adding: [],
      ...known,
      leaderEpoch: known === undefined ? 0 : known.leaderEpoch + 1,
      partitionEpoch: known === undefined ? 0 : known.partitionEpoch + 1,
      isr: known?.isr ?? [...replicas],
      replicas,
      ...changes,
      leader,
    };
    this.states.set(key, state);
    this.announce();
    const receivers = [...this.brokers.values()].filter(({ id, isUp }) => isUp && state.replicas.includes(id));
    await this.during(Promise.all(receivers.map(broker => this.order(broker.id, [{ topic, partition, state }]))));
    return state;
  }

  /** Sends one LeaderAndIsr with these states. */
  order(
    brokerId: number,
    orders: readonly { topic: string; partition: number; state: State; isNew?: boolean }[],
    {
      controllerEpoch = this.controllerEpoch,
      brokerEpoch = -1n,
      version = 7,
      topicId = undefined as string | undefined,
    } = {},
  ): Promise<ResponseInput<typeof LeaderAndIsr>> {
    const request = recode(
      LeaderAndIsr.request,
      {
        controllerId: 1,
        controllerEpoch,
        brokerEpoch,
        topicStates: orders.map(({ topic, partition, state, isNew = true }) => ({
          topicName: topic,
          topicId: topicId ?? this.topicIds.get(topic) ?? ZERO_UUID,
          partitionStates: [
            {
              ...state,
              partitionIndex: partition,
              controllerEpoch,
              addingReplicas: state.adding,
              isNew,
              removingReplicas: [],
            },
          ],
        })),
        liveLeaders: [],
      },
      version,
    );
    return this.broker(brokerId).replicas.applyLeaderAndIsr(request, version);
  }

  stop(
    brokerId: number,
    {
      topic = TOPIC,
      partition = 0,
      leaderEpoch = -2,
      deletePartition = true,
      controllerEpoch = this.controllerEpoch,
    } = {},
  ): Promise<ResponseInput<typeof StopReplica>> {
    const topicStates = [
      { topicName: topic, partitionStates: [{ partitionIndex: partition, leaderEpoch, deletePartition }] },
    ];
    const request = recode(StopReplica.request, { controllerId: 1, controllerEpoch, topicStates }, 4);
    return this.broker(brokerId).replicas.stopReplicas(request);
  }

  /** Lets time pass until the promise settles. */
  async during<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let isSettled = false;
    const note = () => void (isSettled = true);
    promise.then(note, note);
    await this.time.until('the answer', () => isSettled, limitMs);
    return promise;
  }

  /** Answers AlterPartition as the controller does: commits what is based on the current state. */
  alterPartition(request: AlterRequest): AlterResponse | Promise<AlterResponse> {
    this.proposals.push(request);
    return this.onProposal?.(request) ?? this.commit(request);
  }

  commit(request: AlterRequest): AlterResponse {
    const names = new Map([...this.topicIds].map(([name, id]) => [id, name]));
    const topics = request.topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(proposal => {
        const state = this.states.get(partitionKey(names.get(topicId)!, proposal.partitionIndex))!;
        const isCurrent =
          proposal.leaderEpoch === state.leaderEpoch && proposal.partitionEpoch === state.partitionEpoch;
        if (isCurrent) {
          state.isr = proposal.newIsrWithEpochs.map(({ brokerId }) => brokerId);
          state.partitionEpoch += 1;
        }
        const errorCode = isCurrent ? ErrorCode.NONE : ErrorCode.INVALID_UPDATE_VERSION;
        return { ...state, partitionIndex: proposal.partitionIndex, errorCode, leaderId: state.leader };
      }),
    }));
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics };
  }
}

/** What an answer to proposals looks like that refuses all of them. */
export function refusal(request: AlterRequest, errorCode: ErrorCode): AlterResponse {
  const topics = request.topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode,
      leaderId: -1,
      leaderEpoch: -1,
      isr: [],
      partitionEpoch: -1,
    })),
  }));
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics };
}

/** Passes a value through the codec, as the wire would. */
export function recode<O, I>(
  message: { encode(value: I, version: number): Buffer[]; decode(bytes: Buffer, version: number): O },
  value: I,
  version: number,
): O {
  return message.decode(Buffer.concat(message.encode(value, version)), version);
}

export interface ProduceOptions extends Partial<Pick<AppendRequest, 'acks' | 'timeoutMs' | 'origin'>> {
  readonly topic?: string;
  readonly partition?: number;
}

export class ReplicaBroker {
  readonly id: number;
  readonly fs: MemoryFileSystem;
  readonly fetchRequests: { request: RequestOf<typeof Fetch>; version: number; response: ResponseOf<typeof Fetch> }[] =
    [];
  metadata = new MetadataCache();
  /** Bytes appended as a follower: as one that a reassignment adds, and otherwise. */
  readonly replicated = { reassigned: 0, followed: 0 };
  logs!: LogManager;
  replicas!: ReplicaManager;
  config!: BrokerConfig;
  isUp = false;
  /** How often it was started: what a killed life had under way may end during the next one, and answers nobody. */
  life = 0;
  /** Requests of others are not answered: as if stopped by SIGSTOP. */
  isStalled = false;
  brokerEpoch = 1n;
  readonly #cluster: ReplicationCluster;
  readonly #random;
  readonly connections = new Set<TestConnection>();

  constructor(id: number, cluster: ReplicationCluster) {
    this.id = id;
    this.#cluster = cluster;
    this.#random = seededRandom(id);
    this.fs = new MemoryFileSystem({ random: this.#random, now: () => cluster.time.now() });
  }

  async start(): Promise<void> {
    const { time, settings } = this.#cluster;
    const seams = { clock: time, timers: time, random: this.#random, logger: silentLogger };
    this.metadata = new MetadataCache();
    this.logs = await this.#cluster.during(
      LogManager.open({
        ...seams,
        fs: this.fs,
        directories: settings['log.dirs']?.split(',') ?? ['/data'],
        options: { ...DEFAULT_STORAGE_OPTIONS, longestBlockingRead: 0 },
        topicConfig: () => this.#cluster.config,
        brokerId: this.id,
        clusterId: 'oVf2zRjJQIupaA0fXAUBLw',
        // Of this life, even when what a killed one had under way fails later.
        onDirectoryFailure: directory => replicas.handleDirectoryFailure(directory),
      }),
    );
    this.config = BrokerConfig.load({
      text: '',
      overrides: { 'broker.id': String(this.id), 'zookeeper.connect': 'localhost:2181', ...settings },
    });
    const replicas = new ReplicaManager({
      ...seams,
      brokerId: this.id,
      brokerEpoch: () => this.brokerEpoch,
      config: this.config,
      metadata: this.metadata,
      logs: this.logs,
      connector: this.#connector(),
      ...(this.#cluster.txnVerifier === null ? {} : { txnVerifier: this.#cluster.txnVerifier }),
      onReplicatedIn: (_, bytes, isReassignment) => {
        this.replicated[isReassignment ? 'reassigned' : 'followed'] += bytes;
      },
    });
    this.replicas = replicas;
    replicas.startup();
    this.life++;
    this.isUp = true;
  }

  /** Whether it has been up without a break since it was started for the `life`-th time. */
  lives(life: number): boolean {
    return this.isUp && this.life === life;
  }

  #connector(): Connector {
    return {
      connect: async ({ port }) => {
        await this.#cluster.time.sleep(LATENCY_MS);
        const target = this.#cluster.broker(port);
        if (!target.isUp || !this.isUp) throw new ConnectionError('REFUSED', `broker ${port} is down`);
        return new TestConnection(this, target, this.#cluster.time);
      },
    };
  }

  /** The process dies: what was written stays, connections break. */
  async kill(): Promise<void> {
    this.isUp = false;
    this.fs.kill();
    for (const connection of [...this.connections]) connection.close();
    await this.replicas.shutdown().catch(() => {});
    this.#cluster.announce();
  }

  /** A fetch in the newest version, through the codec. */
  async exchangeFetch(request: RequestInput<typeof Fetch>): Promise<ResponseOf<typeof Fetch>> {
    const { max } = Fetch.versions;
    return recode(Fetch.response, await this.#fetch(recode(Fetch.request, request, max), max), max);
  }

  async answer<A extends Api>(api: A, request: RequestOf<A>, version: number): Promise<unknown> {
    switch (api.key) {
      case Fetch.key:
        return this.#fetch(request as RequestOf<typeof Fetch>, version);
      case ListOffsets.key:
        return this.#listOffsets(request as RequestOf<typeof ListOffsets>, version);
      case AlterPartition.key:
        return this.#cluster.alterPartition(request as AlterRequest);
      default:
        throw new Error(`no ${api.name} here`);
    }
  }

  async #fetch(request: RequestOf<typeof Fetch>, version: number): Promise<ResponseInput<typeof Fetch>> {
    const context = this.replicas.fetchSessions.open(request, version);
    if (context.errorCode !== ErrorCode.NONE) return context.answer([]);
    const { maxWaitMs, minBytes, maxBytes } = request;
    const memory = new PooledAnswerMemory(new PoisoningPool(1 << 20));
    const params = {
      replicaId: fetcherOf(request),
      maxWaitMs,
      minBytes,
      maxBytes,
      minOneMessage: true,
      fromFollowers: true,
      readCommitted: request.isolationLevel === 1,
      memory,
      clientRack: request.rackId,
    };
    const response = context.answer(await this.replicas.fetch(params, context.view, () => {}));
    const sent = recode(Fetch.response, response, version);
    memory.release();
    this.fetchRequests.push({ request, version, response: sent });
    return sent;
  }

  async #listOffsets(
    request: RequestOf<typeof ListOffsets>,
    version: number,
  ): Promise<ResponseInput<typeof ListOffsets>> {
    const { replicaId, isolationLevel } = request;
    const topics = await Promise.all(
      request.topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(async ({ partitionIndex, timestamp, currentLeaderEpoch }) => ({
            partitionIndex,
            ...(await this.replicas.listOffset(name, partitionIndex, timestamp, {
              replicaId,
              version,
              readCommitted: isolationLevel === 1,
              currentLeaderEpoch,
            })),
          })),
        ),
      })),
    );
    return { topics };
  }

  log(topic = TOPIC, partition = 0): PartitionLog {
    return this.logs.getLog(topic, partition)!;
  }

  /** Produces records, one batch. */
  produce(values: readonly string[], options: ProduceOptions = {}): Promise<AppendResult> {
    const { acks = 1, topic = TOPIC, partition = 0, timeoutMs = 30_000, origin = 'client' } = options;
    const entries = [{ topic, partition, records: batchOf(values) }];
    const request = { acks, timeoutMs, entries, legacyMagicAllowed: false, origin };
    return this.replicas.append(request, () => {}).then(([result]) => result!);
  }

  /** A sessionless fetch of one partition. */
  fetch(target: Partial<FetchTarget>, params: Partial<FetchParams> = {}): Promise<FetchedPartition> {
    const view = listView([targetOf(target)]);
    return this.replicas.fetch(paramsOf(params), view, () => {}).then(([found]) => found!);
  }
}

export function targetOf(target: Partial<FetchTarget>): FetchTarget {
  const unknown = { currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: -1 };
  return { topic: TOPIC, topicId: ZERO_UUID, partition: 0, fetchOffset: 0, ...unknown, maxBytes: 1 << 20, ...target };
}

export function paramsOf(params: Partial<FetchParams>): FetchParams {
  const common = { minBytes: 1, maxBytes: 1 << 20, minOneMessage: true, fromFollowers: true, clientRack: '' };
  const isolation = { readCommitted: false };
  return { replicaId: -1, maxWaitMs: 0, ...common, ...isolation, ...params };
}

class TestConnection implements Connection {
  readonly peer: string;
  closed = false;
  readonly #ends: readonly ReplicaBroker[];
  readonly #target: ReplicaBroker;
  readonly #time: VirtualTime;
  readonly #underWay = new Set<(error: Error) => void>();
  /** The memory of the last answer that went where the caller wanted it. */
  #lent: Buffer | null = null;

  constructor(source: ReplicaBroker, target: ReplicaBroker, time: VirtualTime) {
    this.peer = `broker ${target.id}`;
    this.#ends = [source, target];
    this.#target = target;
    this.#time = time;
    for (const end of this.#ends) end.connections.add(this);
  }

  versions(api: Api): { min: number; max: number } {
    return api.versions;
  }

  call<A extends Api>(
    api: A,
    request: RequestInput<A>,
    { version = api.versions.max, allocate }: CallOptions = {},
  ): Promise<ResponseOf<A>> {
    if (this.closed) return Promise.reject(new ConnectionError('CLOSED', this.peer));
    // Who asks again in its own memory is done with what it was answered before.
    if (allocate !== undefined) this.#lent?.fill(POISON);
    return new Promise((resolve, reject) => {
      this.#underWay.add(reject);
      this.#exchange(api, request, version).then(
        response => {
          if (!this.#underWay.delete(reject)) return;
          if (allocate === undefined) {
            resolve(api.response.decode(response, version) as ResponseOf<A>);
            return;
          }
          this.#lent = allocate(response.length);
          response.copy(this.#lent);
          resolve(api.response.decode(this.#lent, version) as ResponseOf<A>);
        },
        (error: unknown) => {
          this.close();
          throw error;
        },
      );
    });
  }

  async #exchange<A extends Api>(api: A, request: RequestInput<A>, version: number): Promise<Buffer> {
    const received = recode(api.request, request, version) as RequestOf<A>;
    await this.#time.sleep(LATENCY_MS);
    const response = await this.#target.answer(api, received, version);
    await this.#time.sleep(LATENCY_MS);
    while (this.#target.isStalled) await this.#time.sleep(LATENCY_MS);
    return Buffer.concat(api.response.encode(response, version));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const end of this.#ends) end.connections.delete(this);
    for (const reject of this.#underWay) reject(new ConnectionError('CLOSED', this.peer));
    this.#underWay.clear();
  }

  onClose(): void {}
}
