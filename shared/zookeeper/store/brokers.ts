import { BROKER_IDS_PATH, BROKER_SEQUENCE_PATH, brokerPath } from '../paths.ts';
import { decodeBroker, encodeBroker, type BrokerRegistration } from '../znodes/broker.ts';
import { MalformedZnodeError } from '../znodes/json.ts';
import { isZooKeeperError, ZooKeeperError, type Watcher } from '../zookeeper.ts';
import { children, createWithParents, read, untilKnown, type StoreContext } from './context.ts';
import { all } from './fence.ts';

/** A live broker. */
export interface RegisteredBroker {
  readonly id: number;
  /** Broker epoch: the znode's czxid, larger with every registration. */
  readonly epoch: bigint;
  readonly registration: BrokerRegistration;
}

/** `/brokers/ids` and `/brokers/seqid`. */
export class BrokerStore {
  readonly #context: StoreContext;
  /** Session of this process's last registration: a node that it left behind is ours to replace. */
  #registeredSession = 0n;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /**
   * Registers the broker for as long as the session lives and resolves with its broker epoch. Registering again in the
   * same session answers the same epoch.
   * @throws ZooKeeperError NODE_EXISTS when another process holds the id, or a former one whose session has not expired
   */
  register(registration: BrokerRegistration): Promise<bigint> {
    return untilKnown(this.#context, () => this.#register(registration));
  }

  async #register(registration: BrokerRegistration): Promise<bigint> {
    const { zk } = this.#context;
    const path = brokerPath(registration.id);
    while (true) {
      try {
        // The reply to a create carries no Stat, the one to a setData does: hence two operations to learn the czxid.
        const [, set] = await zk.multi([
          { kind: 'create', path, data: null, mode: 'ephemeral' },
          { kind: 'setData', path, data: encodeBroker(registration), version: 0 },
        ]);
        this.#registeredSession = zk.sessionId;
        return (set as { stat: { czxid: bigint } }).stat.czxid;
      } catch (error) {
        if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
      }
      const epoch = await this.#resolveExisting(registration.id);
      if (epoch !== null) return epoch;
    }
  }

  /** The epoch if the existing node is this session's; null once there is room to register; throws if it is another's. */
  async #resolveExisting(id: number): Promise<bigint | null> {
    const { zk, logger } = this.#context;
    const path = brokerPath(id);
    const stat = await zk.exists(path);
    if (stat === null) return null;
    if (stat.ephemeralOwner === zk.sessionId) {
      this.#registeredSession = zk.sessionId;
      return stat.czxid;
    }
    if (stat.ephemeralOwner === 0n || stat.ephemeralOwner !== this.#registeredSession) {
      throw new ZooKeeperError(
        'NODE_EXISTS',
        path,
        `broker id ${id} is registered by another session (0x${stat.ephemeralOwner.toString(16)}): ` +
          'either another broker uses the same id, or the session of this broker before a restart has not expired yet',
      );
    }
    logger.info({ path }, 'removing the registration that our expired session left behind');
    try {
      await zk.remove(path, stat.version);
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE', 'BAD_VERSION')) throw error;
    }
    return null;
  }

  /** Ids of the live brokers, ascending. */
  async ids(watcher?: Watcher): Promise<number[]> {
    const names = await children(this.#context, BROKER_IDS_PATH, watcher);
    return names
      .filter(name => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** The live brokers by ascending id. The watcher tells of brokers that come and go, not of what they change. */
  async list(watcher?: Watcher): Promise<RegisteredBroker[]> {
    const brokers = await all((await this.ids(watcher)).map(id => this.#getReadable(id)));
    return brokers.filter(broker => broker !== null);
  }

  /** null when no such broker is alive. @throws MalformedZnodeError */
  async get(id: number, watcher?: Watcher): Promise<RegisteredBroker | null> {
    const node = await read(this.#context, brokerPath(id), watcher);
    return node === null ? null : { id, epoch: node.stat.czxid, registration: decodeBroker(id, node.data) };
  }

  async #getReadable(id: number): Promise<RegisteredBroker | null> {
    try {
      return await this.get(id);
    } catch (error) {
      if (!(error instanceof MalformedZnodeError)) throw error;
      this.#context.logger.error({ err: error }, 'ignoring a broker whose registration cannot be read');
      return null;
    }
  }

  /**
   * A broker id that was never given before: the version of `/brokers/seqid`, counted up, above the ids that people may
   * configure (`reserved.broker.max.id`).
   */
  generateId(reservedMax: number): Promise<number> {
    return untilKnown(this.#context, async () => {
      const increment = () => this.#context.zk.setData(BROKER_SEQUENCE_PATH, null, -1);
      try {
        return reservedMax + (await increment()).version;
      } catch (error) {
        if (!isZooKeeperError(error, 'NO_NODE')) throw error;
        await createWithParents(this.#context, BROKER_SEQUENCE_PATH, null);
        return reservedMax + (await increment()).version;
      }
    });
  }
}
