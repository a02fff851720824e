import { CLUSTER_ID_PATH, FEATURE_PATH } from '../paths.ts';
import { decodeClusterId, encodeClusterId } from '../znodes/cluster-id.ts';
import { decodeFeatures, encodeFeatures, type FinalizedFeatures } from '../znodes/feature.ts';
import { isZooKeeperError, type Watcher } from '../zookeeper.ts';
import { createIfAbsent, createWithParents, read, untilKnown, type StoreContext } from './context.ts';

/** `/cluster/id`. */
export class ClusterIdStore {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** The cluster's id; `proposed` if it has none so far. Of several that propose at a time one wins, for all. */
  async getOrCreate(proposed: string): Promise<string> {
    while (true) {
      const node = await read(this.#context, CLUSTER_ID_PATH);
      if (node !== null) return decodeClusterId(node.data);
      await createWithParents(this.#context, CLUSTER_ID_PATH, encodeClusterId(proposed));
    }
  }
}

/** Finalized features with their epoch, which is the znode's version. */
export interface VersionedFeatures extends FinalizedFeatures {
  readonly epoch: number;
}

/** `/feature`. */
export class FeatureStore {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** null when the cluster has no such node yet. @throws MalformedZnodeError */
  async get(watcher?: Watcher): Promise<VersionedFeatures | null> {
    const node = await read(this.#context, FEATURE_PATH, watcher);
    return node === null ? null : { ...decodeFeatures(node.data), epoch: node.stat.version };
  }

  /**
   * What a new controller does before anything else (Kafka: `KafkaController.enableFeatureVersioning`): sees to it that
   * feature versioning is on, keeping the levels that are there. Not fenced, as in Kafka: every controller writes the same.
   */
  async ensureEnabled(): Promise<VersionedFeatures> {
    while (true) {
      const current = await this.get();
      if (current?.enabled === true) return current;
      if (current === null) {
        await createIfAbsent(this.#context, FEATURE_PATH, encodeFeatures({ enabled: true, levels: new Map() }));
      } else {
        await this.#overwrite(encodeFeatures({ ...current, enabled: true }), current.epoch);
      }
    }
  }

  /** Losing a race here is fine: the caller reads again. */
  async #overwrite(data: Buffer, version: number): Promise<void> {
    try {
      await untilKnown(this.#context, () => this.#context.zk.setData(FEATURE_PATH, data, version));
    } catch (error) {
      if (!isZooKeeperError(error, 'BAD_VERSION', 'NO_NODE')) throw error;
    }
  }
}
