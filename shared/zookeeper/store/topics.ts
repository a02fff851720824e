import { configPath, configTypePath, TOPICS_PATH, topicPath } from '../paths.ts';
import { encodeConfig, type EntityConfig } from '../znodes/config.ts';
import { decodeTopic, encodeTopic, type ReplicaAssignment, type TopicAssignment } from '../znodes/topic.ts';
import { isZooKeeperError, ZooKeeperError, type Operation, type Watcher } from '../zookeeper.ts';
import { children, createWithParents, descendants, read, untilKnown, type StoreContext } from './context.ts';
import { all, fencedMulti, fencedRemove, type Fence } from './fence.ts';

/** `/brokers/topics/<topic>`: which topics there are, and where their replicas belong. */
export class TopicStore {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** Names of all topics, in no particular order. */
  names(watcher?: Watcher): Promise<string[]> {
    return children(this.#context, TOPICS_PATH, watcher);
  }

  /** null when there is no such topic; the watcher then tells when it is created. */
  async get(topic: string, watcher?: Watcher): Promise<TopicAssignment | null> {
    const node = await read(this.#context, topicPath(topic), watcher);
    return node === null ? null : decodeTopic(node.data);
  }

  /** The assignments of those topics that exist, pipelined. */
  async getMany(topics: readonly string[]): Promise<Map<string, TopicAssignment>> {
    const found = await all(topics.map(async topic => [topic, await this.get(topic)] as const));
    return new Map(found.flatMap(([topic, assignment]) => (assignment === null ? [] : [[topic, assignment]])));
  }

  /**
   * Creates the topic and its config node, both or none, the config first in order: whoever sees the topic finds its
   * config. A config node that an earlier topic of this name left behind is overwritten.
   * @throws ZooKeeperError NODE_EXISTS when the topic exists; its config is then left alone
   */
  create(topic: string, assignment: TopicAssignment, config: EntityConfig): Promise<void> {
    const data = encodeTopic(assignment);
    let configExists = false;
    return untilKnown(this.#context, async again => {
      while (true) {
        const failure = await this.#tryMulti(creation(topic, data, encodeConfig(config), configExists));
        if (failure === null) return;
        if (failure.operationIndex === 1 && failure.code === 'NODE_EXISTS') {
          if (again && (await this.#holds(topic, data))) return;
          throw new ZooKeeperError('NODE_EXISTS', topicPath(topic), `topic ${topic} already exists`);
        }
        if (failure.operationIndex === 0 && failure.code === 'NODE_EXISTS') configExists = true;
        else if (failure.operationIndex === 0 && configExists) configExists = false;
        else await this.#createParents();
      }
    });
  }

  /** null when done, else the error if it is about a node that is there or is not. */
  async #tryMulti(operations: readonly Operation[]): Promise<ZooKeeperError | null> {
    try {
      await this.#context.zk.multi(operations);
      return null;
    } catch (error) {
      if (isZooKeeperError(error, 'NODE_EXISTS', 'NO_NODE')) return error;
      throw error;
    }
  }

  async #createParents(): Promise<void> {
    await createWithParents(this.#context, configTypePath('topics'), null);
    await createWithParents(this.#context, TOPICS_PATH, null);
  }

  /** Whether the topic is what a creation with a lost answer wrote: the topic id makes it unmistakable. */
  async #holds(topic: string, data: Buffer): Promise<boolean> {
    const node = await this.#context.zk.getData(topicPath(topic));
    return node?.data?.equals(data) ?? false;
  }

  /** Overwrites the topic's assignment. @throws ControllerMovedError, ZooKeeperError NO_NODE */
  async setAssignment(topic: string, assignment: TopicAssignment, fence: Fence): Promise<void> {
    const path = topicPath(topic);
    const data = encodeTopic(assignment);
    await untilKnown(this.#context, () =>
      fencedMulti(this.#context, fence, [{ kind: 'setData', path, data, version: -1 }]),
    );
  }

  /**
   * Overwrites the assignment of one partition, over what was read just before, so that partitions which others add
   * meanwhile are not lost.
   * @throws ControllerMovedError, ZooKeeperError NO_NODE when there is no such topic
   */
  changeAssignment(topic: string, partition: number, assignment: ReplicaAssignment, fence: Fence): Promise<void> {
    const path = topicPath(topic);
    return untilKnown(this.#context, async () => {
      while (true) {
        const node = await this.#context.zk.getData(path);
        if (node === null) throw new ZooKeeperError('NO_NODE', path, `topic ${topic} does not exist`);
        const current = decodeTopic(node.data);
        const data = encodeTopic({ ...current, partitions: new Map(current.partitions).set(partition, assignment) });
        try {
          await fencedMulti(this.#context, fence, [{ kind: 'setData', path, data, version: node.stat.version }]);
          return;
        } catch (error) {
          if (!isZooKeeperError(error, 'BAD_VERSION')) throw error;
        }
      }
    });
  }

  /**
   * Adds those of the given partitions that the topic does not have, for whoever handles CreatePartitions: not fenced,
   * but only over what was read just before, so that the topic id and a reassignment that the controller writes
   * meanwhile are not lost. Resolves with the whole assignment as it is then.
   * @throws ZooKeeperError NO_NODE when there is no such topic
   */
  addPartitions(topic: string, partitions: ReadonlyMap<number, ReplicaAssignment>): Promise<TopicAssignment> {
    const path = topicPath(topic);
    return untilKnown(this.#context, async () => {
      while (true) {
        const node = await this.#context.zk.getData(path);
        if (node === null) throw new ZooKeeperError('NO_NODE', path, `topic ${topic} does not exist`);
        const current = decodeTopic(node.data);
        const merged = { ...current, partitions: new Map([...partitions, ...current.partitions]) };
        if (merged.partitions.size === current.partitions.size) return current;
        try {
          await this.#context.zk.setData(path, encodeTopic(merged), node.stat.version);
          return merged;
        } catch (error) {
          if (!isZooKeeperError(error, 'BAD_VERSION')) throw error;
        }
      }
    });
  }

  /** Removes the topic's node with all partitions below it; fine if it is gone. @throws ControllerMovedError */
  async remove(topic: string, fence: Fence): Promise<void> {
    const path = topicPath(topic);
    await fencedRemove(this.#context, fence, [...(await descendants(this.#context, path)).reverse(), path]);
  }
}

function creation(topic: string, data: Buffer, config: Buffer, configExists: boolean): Operation[] {
  const path = configPath('topics', topic);
  return [
    configExists
      ? { kind: 'setData', path, data: config, version: -1 }
      : { kind: 'create', path, data: config, mode: 'persistent' },
    { kind: 'create', path: topicPath(topic), data, mode: 'persistent' },
  ];
}
