import { systemClock, systemTimers } from '../../shared/runtime/clock.ts';
import { silentLogger } from '../../shared/runtime/logger.ts';
import { connectZooKeeper } from '../../shared/zookeeper/client.ts';
import { isZooKeeperError, type ZooKeeper } from '../../shared/zookeeper/zookeeper.ts';
import type { BrokerProcess } from './broker-process.ts';
import { waitFor } from './wait.ts';

/** The tree as somebody beside the brokers sees and changes it: a ZooKeeper-side tool, or a curious test. */
export class Znodes {
  readonly zk: ZooKeeper;

  private constructor(zk: ZooKeeper) {
    this.zk = zk;
  }

  /** @param connectString `host:port`, with a chroot if need be */
  static async open(connectString: string): Promise<Znodes> {
    const zk = await connectZooKeeper({
      connectString,
      sessionTimeoutMs: 10_000,
      connectionTimeoutMs: 10_000,
      logger: silentLogger,
      clock: systemClock,
      timers: systemTimers,
    });
    return new Znodes(zk);
  }

  /** What the node holds, null when there is no such node. */
  async json(path: string): Promise<Record<string, unknown> | null> {
    const found = await this.zk.getData(path);
    return found === null ? null : (JSON.parse(found.data!.toString()) as Record<string, unknown>);
  }

  async exists(path: string): Promise<boolean> {
    return (await this.zk.exists(path)) !== null;
  }

  /** Creates a persistent node. */
  async write(path: string, json: unknown): Promise<void> {
    await this.zk.create(path, Buffer.from(JSON.stringify(json)), 'persistent');
  }

  /** A topic as tools before topic ids wrote it. @param assignment replicas of each partition */
  async writeTopic(name: string, assignment: readonly (readonly number[])[]): Promise<void> {
    await this.write(`/brokers/topics/${name}`, { version: 1, partitions: Object.fromEntries(assignment.entries()) });
  }

  /** The broker that holds `/controller`, null while nobody does. */
  async controllerId(): Promise<number | null> {
    const node = await this.json('/controller');
    return node === null ? null : (node.brokerid as number);
  }

  /** The transaction in which a broker registered: its broker epoch. null when it is not registered. */
  async brokerEpoch(id: number): Promise<bigint | null> {
    return (await this.zk.exists(`/brokers/ids/${id}`))?.czxid ?? null;
  }

  /** Waits until somebody other than `former` is the controller. */
  async anotherController(former: number): Promise<number> {
    let id: number | null = null;
    await waitFor(`a controller other than broker ${former}`, async () => {
      id = await this.controllerId();
      return id !== null && id !== former;
    });
    return id!;
  }

  /**
   * Makes one broker the controller: `/controller` is freed while the others are frozen and cannot take it.
   * @param during done before the others go on
   */
  async makeController(
    chosen: BrokerProcess,
    others: readonly BrokerProcess[],
    during: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    try {
      for (const other of others) other.signal('SIGSTOP');
      const holder = await this.controllerId();
      if (holder !== chosen.id) {
        if (holder !== null) await this.#freeController();
        await waitFor(`broker ${chosen.id} to take office`, async () => {
          return !chosen.running || (await this.controllerId()) === chosen.id;
        });
      }
      await during();
    } finally {
      for (const other of others) other.signal('SIGCONT');
    }
  }

  /** The session of a holder that is frozen may have ended meanwhile. */
  async #freeController(): Promise<void> {
    try {
      await this.zk.remove('/controller', -1);
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
    }
  }

  close(): Promise<void> {
    return this.zk.close();
  }
}
