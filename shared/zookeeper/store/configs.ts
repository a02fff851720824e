import { CONFIG_CHANGE_PREFIX, CONFIG_CHANGES_PATH, configPath, configTypePath, type ConfigType } from '../paths.ts';
import { decodeConfig, encodeConfig, encodeConfigChange, type EntityConfig } from '../znodes/config.ts';
import { isZooKeeperError, type Watcher } from '../zookeeper.ts';
import { children, createWithParents, read, removeIfPresent, untilKnown, type StoreContext } from './context.ts';
import { all } from './fence.ts';

/** `/config/<type>/<entity>`: overrides of topics, brokers, clients, users and addresses. */
export class ConfigStore {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** The entity's overrides; none when it has no node. @throws MalformedZnodeError */
  async get(type: ConfigType, entity: string, watcher?: Watcher): Promise<Map<string, string>> {
    const path = configPath(type, entity);
    const node = await read(this.#context, path, watcher);
    return node === null ? new Map() : decodeConfig(path, node.data);
  }

  /** The overrides of each of the entities, pipelined. @throws MalformedZnodeError */
  async getMany(type: ConfigType, entities: readonly string[]): Promise<Map<string, Map<string, string>>> {
    return new Map(await all(entities.map(async entity => [entity, await this.get(type, entity)] as const)));
  }

  /** Names of the entities that have a node. */
  entities(type: ConfigType): Promise<string[]> {
    return children(this.#context, configTypePath(type));
  }

  /** Replaces the entity's overrides, then tells all brokers: in this order, or they would read what was before. */
  async set(type: ConfigType, entity: string, config: EntityConfig): Promise<void> {
    await this.#write(configPath(type, entity), encodeConfig(config));
    await this.#notify(type, entity);
  }

  async #write(path: string, data: Buffer): Promise<void> {
    while (true) {
      try {
        await untilKnown(this.#context, () => this.#context.zk.setData(path, data, -1));
        return;
      } catch (error) {
        if (!isZooKeeperError(error, 'NO_NODE')) throw error;
      }
      if (await createWithParents(this.#context, path, data)) return;
    }
  }

  /** Removes the entity's node, without telling anyone: for a topic that is gone, and for entities left without overrides. */
  remove(type: ConfigType, entity: string): Promise<void> {
    return removeIfPresent(this.#context, configPath(type, entity));
  }

  async #notify(type: ConfigType, entity: string): Promise<void> {
    await untilKnown(this.#context, () =>
      this.#context.zk.create(
        `${CONFIG_CHANGES_PATH}/${CONFIG_CHANGE_PREFIX}`,
        encodeConfigChange({ type, entity }),
        'persistentSequential',
      ),
    );
  }
}
