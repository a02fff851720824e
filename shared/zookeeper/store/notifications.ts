import type { TopicPartition } from '../../topics/topic-partition.ts';
import { ISR_CHANGE_PREFIX, ISR_CHANGES_PATH, LOG_DIR_EVENT_PREFIX, LOG_DIR_EVENTS_PATH } from '../paths.ts';
import {
  decodeLogDirEvent,
  decodePartitionList,
  encodeLogDirEvent,
  encodePartitionList,
} from '../znodes/notifications.ts';
import type { Watcher } from '../zookeeper.ts';
import { children, read, untilKnown, type StoreContext } from './context.ts';
import { all, fencedRemove, type Fence } from './fence.ts';

/** What a kind of notification to the controller looks like: sequential nodes `<path>/<prefix><number>`. */
interface NotificationKind<T> {
  readonly path: string;
  readonly prefix: string;
  encode(content: T): Buffer;
  decode(data: Buffer | null): T;
}

/** Leaders with the old direct ISR writes tell which partitions have changed. */
const ISR_CHANGES: NotificationKind<readonly TopicPartition[]> = {
  path: ISR_CHANGES_PATH,
  prefix: ISR_CHANGE_PREFIX,
  encode: encodePartitionList,
  decode: decodePartitionList,
};

/** A broker tells that one of its log directories has failed; null for what cannot be read. */
const LOG_DIR_EVENTS: NotificationKind<number | null> = {
  path: LOG_DIR_EVENTS_PATH,
  prefix: LOG_DIR_EVENT_PREFIX,
  encode: brokerId => encodeLogDirEvent(brokerId ?? -1),
  decode: decodeLogDirEvent,
};

/** Notifications of one kind: anyone adds them, the controller reads and removes them. */
export class NotificationStore<T> {
  readonly #context: StoreContext;
  readonly #kind: NotificationKind<T>;

  constructor(context: StoreContext, kind: NotificationKind<T>) {
    this.#context = context;
    this.#kind = kind;
  }

  static isrChanges(context: StoreContext): NotificationStore<readonly TopicPartition[]> {
    return new NotificationStore(context, ISR_CHANGES);
  }

  static logDirEvents(context: StoreContext): NotificationStore<number | null> {
    return new NotificationStore(context, LOG_DIR_EVENTS);
  }

  /** All pending notifications by name, oldest first. */
  async list(watcher?: Watcher): Promise<Map<string, T>> {
    const names = (await children(this.#context, this.#kind.path, watcher)).sort();
    const nodes = await all(names.map(name => read(this.#context, `${this.#kind.path}/${name}`)));
    return new Map(
      names.flatMap((name, index) => {
        const node = nodes[index];
        return node === null || node === undefined ? [] : [[name, this.#kind.decode(node.data)] as const];
      }),
    );
  }

  /** A lost answer may lead to two notifications of the same: harmless, they only say "look again". */
  async add(content: T): Promise<void> {
    const { path, prefix } = this.#kind;
    await untilKnown(this.#context, () =>
      this.#context.zk.create(`${path}/${prefix}`, this.#kind.encode(content), 'persistentSequential'),
    );
  }

  /** @throws ControllerMovedError */
  remove(names: Iterable<string>, fence: Fence): Promise<void> {
    return fencedRemove(
      this.#context,
      fence,
      [...names].map(name => `${this.#kind.path}/${name}`),
    );
  }
}
