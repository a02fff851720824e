import { Broker } from '../../broker/broker.ts';
import { BrokerConfig } from '../../broker/config/broker-config.ts';
import type { Door, DoorParts, Platform } from '../../broker/platform.ts';
import { RequestMemory } from '../../broker/network/request-memory.ts';
import type { Dispatcher } from '../../broker/request/handler.ts';
import type { BrokerRooms } from '../../broker/rooms.ts';
import { InlineCleaning } from '../support/inline-cleaning.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';
import type { MemoryZooKeeperClient } from '../support/memory-zookeeper.ts';
import { seededRandom } from '../support/seeded-random.ts';
import type { AcceptedConnection, Server } from './connector.ts';
import { SimulatedConnector } from './connector.ts';
import { Life } from './life.ts';
import { ServerEnd } from './server-end.ts';
import type { World } from './world.ts';

/** For requests and answers. */
const MEMORY_BYTES = 64 << 20;
export const SESSION_TIMEOUT_MS = 6_000;
const SETTINGS: Readonly<Record<string, string>> = {
  'zookeeper.connect': 'zk:2181',
  'zookeeper.session.timeout.ms': String(SESSION_TIMEOUT_MS),
  'zookeeper.connection.timeout.ms': '10000',
  'log.dirs': '/disk-a/logs,/disk-b/logs',
  'log.segment.bytes': '4096',
  'log.index.interval.bytes': '300',
  'min.insync.replicas': '2',
  'default.replication.factor': '3',
  'replica.lag.time.max.ms': '3000',
  'replica.socket.timeout.ms': '4000',
  'request.timeout.ms': '5000',
  'controller.socket.timeout.ms': '5000',
  'controlled.shutdown.retry.backoff.ms': '500',
  'replica.fetch.backoff.ms': '200',
  'auto.create.topics.enable': 'false',
  'offsets.topic.num.partitions': '2',
  'group.initial.rebalance.delay.ms': '500',
  'transaction.state.log.num.partitions': '2',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '2000',
  // Replicas are compared byte by byte, and each would be compacted when it likes.
  'log.cleaner.enable': 'false',
  'leader.imbalance.check.interval.seconds': '15',
};

/** A machine with a disk on which broker processes live one after the other. */
export class SimulatedBroker implements Server {
  readonly id: number;
  readonly name: string;
  readonly fs: MemoryFileSystem;
  isPowered = true;
  life: Life | null = null;
  rooms: BrokerRooms | null = null;
  zk: MemoryZooKeeperClient | null = null;
  readonly #world: World;
  #broker: Broker | null = null;
  #dispatcher: Dispatcher | null = null;
  #processing: Promise<void> = Promise.resolve();
  readonly #memory: RequestMemory;
  #connections = 0;
  /** From the loss of power until no in-sync set counts on this disk any more. */
  lostPower = false;

  constructor(id: number, world: World) {
    this.id = id;
    this.name = `broker-${id}`;
    this.#world = world;
    this.#memory = new RequestMemory(MEMORY_BYTES, { clock: world.time, timers: world.time });
    this.fs = new MemoryFileSystem({
      random: seededRandom(world.random.int(2 ** 31)),
      now: () => world.time.now(),
      latency: () => this.life?.sleep(1 + world.random.int(3)) ?? new Promise(() => {}),
    });
    this.fs.makeDirectory('/disk-a/logs');
    this.fs.makeDirectory('/disk-b/logs');
  }

  get isUp(): boolean {
    return this.life !== null;
  }

  /** Starts the process. A start that fails ends it, as it ends the real one. */
  start(): void {
    if (this.life !== null) return;
    const { world, life } = { world: this.#world, life: new Life(this.#world.time) };
    world.note(`${this.name} starts`);
    this.isPowered = true;
    this.life = life;
    const logger = world.loggerOf(this.name);
    const broker = new Broker(this.#config(), logger, this.#platform(life));
    this.#broker = broker;
    broker.start().catch((error: unknown) => {
      if (life.isOver) return;
      world.note(`${this.name} fails to start: ${(error as Error).message}`);
      this.kill();
    });
  }

  #config(): BrokerConfig {
    const text = Object.entries({
      ...SETTINGS,
      ...this.#world.settings,
      'broker.id': String(this.id),
      listeners: `PLAINTEXT://${this.name}:9092`,
    })
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');
    return BrokerConfig.load({ text });
  }

  #platform(life: Life): Platform {
    const world = this.#world;
    return {
      clock: world.time,
      timers: life,
      random: seededRandom(world.random.int(2 ** 31)),
      fs: this.fs,
      connectZooKeeper: async () => {
        const client = await world.connectZooKeeper(this.name, life);
        this.zk = client;
        return client;
      },
      brokerConnector: (_id, config) =>
        new SimulatedConnector({
          ...world.connectorParts(this.name, life),
          negotiate: false,
          requestTimeoutMs: config.get('request.timeout.ms'),
        }),
      cleaningExecutor: () => new InlineCleaning(this.fs, () => new Promise(resolve => life.endOfTurn(resolve))),
      openDoor: parts => Promise.resolve(this.#openDoor(parts)),
      halt: () => void world.time.after(0, () => (this.life === life ? this.kill() : undefined)),
    };
  }

  #openDoor({ rooms, dispatcher }: DoorParts): Door {
    this.rooms = rooms;
    this.#dispatcher = dispatcher;
    let startProcessing = () => {};
    this.#processing = new Promise(resolve => (startProcessing = resolve));
    return {
      boundPorts: new Map(),
      startProcessing,
      close: () => {
        this.#dispatcher = null;
        this.#endConnections();
        return Promise.resolve();
      },
    };
  }

  accept(client: string, hangUp: () => void): AcceptedConnection | null {
    const { life } = this;
    const dispatcher = this.#dispatcher;
    if (life === null || dispatcher === null) return null;
    const end: ServerEnd = new ServerEnd({
      dispatcher,
      memory: this.#memory,
      processing: this.#processing,
      context: {
        connectionId: `${client}-${this.#connections++}`,
        dialect: 'kafka',
        listenerName: 'PLAINTEXT',
        securityProtocol: 'PLAINTEXT',
        principal: { type: 'User', name: 'ANONYMOUS' },
        clientAddress: client,
      },
      onEnd: () => {
        end.close();
        hangUp();
      },
      onBug: error => this.#world.bug(error),
    });
    return {
      life,
      versions: api => dispatcher.handlerFor(api.key)?.versions ?? null,
      receive: request => end.receive(request),
      close: () => end.close(),
    };
  }

  /** kill -9: what was written stays with the kernel, peers see their connections close. */
  kill(): void {
    if (this.life === null) return;
    this.#world.note(`${this.name} is killed`);
    this.#end();
    this.fs.kill();
  }

  /** The machine loses power: what was not flushed is lost or torn, and peers see nothing until they ask. */
  losePower(): void {
    if (this.life === null) return;
    this.#world.note(`${this.name} loses power`);
    this.isPowered = false;
    this.lostPower = true;
    this.#end();
    this.fs.crash();
  }

  #end(): void {
    const life = this.life!;
    life.end();
    this.zk?.abandon();
    for (const connection of this.#world.network.connections) {
      if (this.isPowered && connection.isServedBy(life)) connection.serverDied();
      if (this.isPowered && connection.isOf(life)) connection.reset();
    }
    this.life = null;
    this.rooms = null;
    this.zk = null;
    this.#broker = null;
    this.#dispatcher = null;
  }

  #endConnections(): void {
    const { life } = this;
    if (life === null) return;
    for (const connection of this.#world.network.connections) if (connection.isServedBy(life)) connection.reset();
  }

  /** SIGTERM, and the process's end when it is done. */
  async stop(): Promise<void> {
    const { life } = this;
    const broker = this.#broker;
    if (life === null || broker === null) return;
    this.#world.note(`${this.name} is asked to stop`);
    await broker.shutdown();
    if (this.life !== life) return;
    this.#end();
    this.fs.kill();
  }

  /** SIGSTOP. The server ends the session of a client that says nothing for long. */
  freeze(): void {
    const { life, zk } = this;
    if (life === null) return;
    this.#world.note(`${this.name} freezes`);
    life.freeze();
    if (zk !== null) this.#world.expireUnlessThawed(zk, life);
  }

  /** SIGCONT. It runs on as if nothing had been, until ZooKeeper's server tells it. */
  thaw(): void {
    if (this.life === null) return;
    this.#world.note(`${this.name} thaws`);
    this.life.thaw();
    this.#world.resumeSession(this);
  }
}
