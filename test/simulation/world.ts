import { createHash } from 'node:crypto';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { brokerPath, CONTROLLER_PATH, partitionStatePath, topicPath } from '../../shared/zookeeper/paths.ts';
import { decodeController } from '../../shared/zookeeper/znodes/controller.ts';
import { decodePartitionState, type LeaderAndIsr } from '../../shared/zookeeper/znodes/partition-state.ts';
import { decodeTopic } from '../../shared/zookeeper/znodes/topic.ts';
import { MemoryZooKeeper, type MemoryZooKeeperClient } from '../support/memory-zookeeper.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { VirtualTime } from '../support/virtual-time.ts';
import { SimulatedConnector, type ConnectorParts } from './connector.ts';
import { Life } from './life.ts';
import { ALL_PARTITIONS } from './topics.ts';
import { SimulatedNetwork } from './network.ts';
import { SESSION_TIMEOUT_MS, SimulatedBroker } from './simulated-broker.ts';

const ZOOKEEPER = 'zk';
const BROKER_IDS = [1, 2, 3];
const CONNECT_TIMEOUT_MS = 2_000;

export interface WorldOptions {
  readonly seed: number;
  /** Takes a line for everything that happens, messages and the brokers' log lines included. */
  readonly print?: (line: string) => void;
}

/** Everything that one seed decides: time, chance, the network, ZooKeeper and the brokers' machines. */
export class World {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: SimulatedNetwork;
  readonly zookeeper: MemoryZooKeeper;
  readonly brokers: readonly SimulatedBroker[];
  /** Broker settings that this seed has chosen. */
  readonly settings: Readonly<Record<string, string>>;
  /** What went wrong that no fault explains. */
  readonly bugs: unknown[] = [];
  readonly #servers: ReadonlyMap<string, SimulatedBroker>;
  readonly #startMs: number;
  readonly #hash = createHash('sha256');
  readonly #print: ((line: string) => void) | undefined;

  constructor({ seed, print }: WorldOptions) {
    this.#print = print;
    this.#startMs = this.time.now();
    this.random = seededRandom(seed);
    const fork = () => seededRandom(this.random.int(2 ** 31));
    this.network = new SimulatedNetwork(this.time, fork());
    const latency = fork();
    this.zookeeper = new MemoryZooKeeper({
      clock: this.time,
      timers: this.time,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      latencyMs: () => 1 + latency.int(4),
    });
    this.settings = { 'replica.fetch.wait.max.ms': String([50, 200, 500][this.random.int(3)]) };
    this.brokers = BROKER_IDS.map(id => new SimulatedBroker(id, this));
    this.#servers = new Map(this.brokers.map(broker => [broker.name, broker]));
  }

  /** A line of the story: in the trace, and for whoever watches. */
  note(text: string): void {
    this.trace(`# ${text}`);
  }

  trace(line: string): void {
    const stamped = `${this.time.now() - this.#startMs} ${line}\n`;
    this.#hash.update(stamped);
    this.#print?.(stamped);
  }

  /** Of all that has happened: two runs of a seed have the same. */
  get traceHash(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  bug(error: unknown): void {
    this.bugs.push(error);
  }

  /** Log lines are part of what is printed, not of the trace. */
  loggerOf(name: string, fields: object = {}): Logger {
    const line = (level: string) => (first: object | string, message?: string) => {
      if (this.#print === undefined) return;
      const { err, ...rest } = typeof first === 'string' ? ({} as { err?: Error }) : (first as { err?: Error });
      const detail = JSON.stringify({ ...fields, ...rest }, (_key, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      );
      const cause = err === undefined ? '' : ` ${err.message}`;
      this.#print(
        `${this.time.now() - this.#startMs} ${name} ${level} ${message ?? (first as string)}${cause} ${detail}\n`,
      );
    };
    return {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      fatal: line('fatal'),
      child: more => this.loggerOf(name, { ...fields, ...more }),
    };
  }

  /** What ZooKeeper holds of a partition. */
  partitionState(topic: string, partition: number): LeaderAndIsr | null {
    const node = this.zookeeper.tree.read(partitionStatePath(topic, partition));
    return node === null ? null : decodePartitionState(node.data, node.stat.version);
  }

  /** Whether every broker has a replica, and no reassignment is under way. */
  isOnAll(topic: string, partition: number): boolean {
    const node = this.zookeeper.tree.read(topicPath(topic));
    const assignment = decodeTopic(node?.data ?? null).partitions.get(partition);
    if (assignment === undefined || assignment.adding.length + assignment.removing.length > 0) return false;
    return assignment.replicas.length === this.brokers.length;
  }

  /** The broker that holds `/controller`. */
  get controllerId(): number | null {
    const node = this.zookeeper.tree.read(CONTROLLER_PATH);
    return node === null ? null : decodeController(node.data);
  }

  /** Notes which brokers' losses count no more: those that are in no in-sync set. */
  forgetLostPower(): void {
    for (const broker of this.brokers) {
      const counts = ALL_PARTITIONS.some(each =>
        this.partitionState(each.topic, each.partition)?.isr.includes(broker.id),
      );
      if (!counts) broker.lostPower = false;
    }
  }

  /** Whether a broker's process runs, and is registered in its present session. */
  isRegistered({ id, life, zk }: SimulatedBroker): boolean {
    if (life === null || life.isFrozen || zk?.connected !== true) return false;
    return this.zookeeper.tree.read(brokerPath(id))?.stat.ephemeralOwner === zk.sessionId;
  }

  zooKeeperLink(broker: SimulatedBroker): string {
    return this.network.link(broker.name, ZOOKEEPER);
  }

  /** A session for a process. @throws Error when ZooKeeper cannot be reached for long */
  async connectZooKeeper(host: string, life: Life): Promise<MemoryZooKeeperClient> {
    const link = this.network.link(host, ZOOKEEPER);
    const deadline = this.time.now() + 10_000;
    while (this.network.isCut(link)) {
      if (this.time.now() > deadline) throw new Error('ZooKeeper could not be reached');
      await life.sleep(100);
    }
    const client = await this.zookeeper.connect(arrival => life.run(arrival));
    if (life.isOver) client.abandon();
    return new Promise(resolve => life.run(() => resolve(client)));
  }

  /** Cuts a broker off from ZooKeeper until the returned function is called. */
  cutZooKeeper(broker: SimulatedBroker): () => void {
    const heal = this.network.cut(this.zooKeeperLink(broker));
    broker.life?.run(() => broker.zk?.disconnect());
    return () => {
      heal();
      if (!this.network.isCut(this.zooKeeperLink(broker))) broker.life?.run(() => broker.zk?.reconnect());
    };
  }

  /** What ZooKeeper does with the session of a process that says nothing any more. */
  expireUnlessThawed(zk: MemoryZooKeeperClient, life: Life): void {
    const { freezes } = life;
    this.time.after(SESSION_TIMEOUT_MS, () => {
      if (life.isFrozen && life.freezes === freezes) this.zookeeper.endSession(zk.sessionId);
    });
  }

  /** A process that runs again learns what has become of its session, but not at once. */
  resumeSession(broker: SimulatedBroker): void {
    const { zk, life } = broker;
    if (zk === null || life === null) return;
    life.after(5 + this.random.int(100), () => {
      if (!zk.connected || this.zookeeper.isAlive(zk.sessionId)) return;
      zk.disconnect();
      if (!this.network.isCut(this.zooKeeperLink(broker))) zk.reconnect();
    });
  }

  connectorParts(
    client: string,
    life: Life,
  ): Pick<ConnectorParts, 'network' | 'client' | 'life' | 'servers' | 'connectTimeoutMs' | 'trace'> {
    return {
      network: this.network,
      client,
      life,
      servers: this.#servers,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      trace: line => this.trace(line),
    };
  }

  /** For the clients, which never die. */
  clientConnector(name: string): SimulatedConnector {
    const parts = this.connectorParts(name, new Life(this.time));
    return new SimulatedConnector({ ...parts, requestTimeoutMs: 5_000, negotiate: true });
  }
}
