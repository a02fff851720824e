import type { TopicPartition } from '../../topics/topic-partition.ts';
import { DELETE_TOPICS_PATH, deleteTopicPath, PREFERRED_ELECTION_PATH, REASSIGNMENT_PATH } from '../paths.ts';
import { decodePartitionList } from '../znodes/notifications.ts';
import { decodeReassignment, encodeReassignment, type WantedReplicas } from '../znodes/reassignment.ts';
import { isZooKeeperError, type Watcher } from '../zookeeper.ts';
import { children, createIfAbsent, read, untilKnown, type StoreContext } from './context.ts';
import { fencedMulti, fencedRemove, type Fence } from './fence.ts';

/** `/admin/delete_topics`: topics marked for deletion, by whoever handles DeleteTopics. */
export class TopicDeletionStore {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  list(watcher?: Watcher): Promise<string[]> {
    return children(this.#context, DELETE_TOPICS_PATH, watcher);
  }

  /** False when the topic was marked already. */
  mark(topic: string): Promise<boolean> {
    return createIfAbsent(this.#context, deleteTopicPath(topic), null);
  }

  /** Takes the marks away: the last step of a deletion, or its refusal. @throws ControllerMovedError */
  clear(topics: readonly string[], fence: Fence): Promise<void> {
    return fencedRemove(this.#context, fence, topics.map(deleteTopicPath));
  }
}

/** `/admin/preferred_replica_election`: how older tools ask for preferred leaders. */
export class PreferredElectionStore {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** null when nothing is asked for; the watcher then tells when something is. */
  async get(watcher?: Watcher): Promise<TopicPartition[] | null> {
    const node = await read(this.#context, PREFERRED_ELECTION_PATH, watcher);
    return node === null ? null : decodePartitionList(node.data);
  }

  /** @throws ControllerMovedError */
  remove(fence: Fence): Promise<void> {
    return fencedRemove(this.#context, fence, [PREFERRED_ELECTION_PATH]);
  }
}

/** `/admin/reassign_partitions`: how older tools ask for reassignments, and see how far they are. */
export class ReassignmentStore {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** null when nothing is asked for; the watcher then tells when something is. */
  async get(watcher?: Watcher): Promise<WantedReplicas[] | null> {
    const node = await read(this.#context, REASSIGNMENT_PATH, watcher);
    return node === null ? null : decodeReassignment(node.data);
  }

  /** Leaves these, and the node away when there are none; fine if it is gone. @throws ControllerMovedError */
  async keep(partitions: readonly WantedReplicas[], fence: Fence): Promise<void> {
    if (partitions.length === 0) return fencedRemove(this.#context, fence, [REASSIGNMENT_PATH]);
    const data = encodeReassignment(partitions);
    try {
      await untilKnown(this.#context, () =>
        fencedMulti(this.#context, fence, [{ kind: 'setData', path: REASSIGNMENT_PATH, data, version: -1 }]),
      );
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
    }
  }
}
