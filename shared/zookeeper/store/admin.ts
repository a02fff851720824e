import type { TopicPartition } from '../../topics/topic-partition.ts';
import { DELETE_TOPICS_PATH, deleteTopicPath, PREFERRED_ELECTION_PATH } from '../paths.ts';
import { decodePartitionList } from '../znodes/notifications.ts';
import type { Watcher } from '../zookeeper.ts';
import { children, createIfAbsent, read, type StoreContext } from './context.ts';
import { fencedRemove, type Fence } from './fence.ts';

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
