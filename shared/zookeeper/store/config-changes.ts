import type { Timer } from '../../runtime/clock.ts';
import { CONFIG_CHANGE_PREFIX, CONFIG_CHANGES_PATH, sequenceNumber } from '../paths.ts';
import { decodeConfigChange, type ConfigChange } from '../znodes/config.ts';
import { isZooKeeperError } from '../zookeeper.ts';
import { acrossSessions, children, read, removeIfPresent, type StoreContext } from './context.ts';
import { all } from './fence.ts';

/** Notifications older than this have been seen by every broker that lives; whoever meets them removes them. */
const EXPIRATION_MS = 15 * 60 * 1000;
/** Pause before a pass that failed is tried again. */
const RETRY_MS = 1000;

interface Notification {
  readonly path: string;
  readonly sequence: number;
}

/**
 * Hears of config changes in the order they were made (Kafka: `ZkNodeChangeNotificationListener`). A notification only
 * says whose config has changed; the handler reads it. All that are there at the start are replayed.
 */
export class ConfigChangeListener {
  readonly #context: StoreContext;
  readonly #handle: (change: ConfigChange) => void | Promise<void>;
  #lastSequence = -1;
  /** Creation times of the notifications that are known, milliseconds since the Unix epoch, by path. */
  #createdAt = new Map<string, number>();
  #running = false;
  #again = false;
  #closed = false;
  #retry: Timer | null = null;

  constructor(context: StoreContext, handle: (change: ConfigChange) => void | Promise<void>) {
    this.#context = context;
    this.#handle = handle;
  }

  /** Resolves when all present notifications have been handled. */
  async start(): Promise<void> {
    this.#context.zk.onSession(event => {
      if (event === 'connected') this.#wake();
    });
    await acrossSessions(() => this.#pass());
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
  }

  /** One pass at a time; a change during a pass makes another one follow. */
  #wake(): void {
    if (this.#closed) return;
    if (this.#running) this.#again = true;
    else void this.#run();
  }

  async #run(): Promise<void> {
    try {
      await this.#pass();
    } catch (error) {
      this.#onFailure(error);
    }
  }

  /** The watch may be gone, with its session: without another pass we would hear of nothing any more. */
  #onFailure(error: unknown): void {
    if (this.#closed || isZooKeeperError(error, 'CLOSED')) return;
    this.#context.logger.warn({ err: error }, 'cannot read the config changes, will try again');
    this.#retry = this.#context.timers.after(RETRY_MS, () => this.#wake());
  }

  async #pass(): Promise<void> {
    this.#running = true;
    try {
      do {
        this.#again = false;
        const notifications = await this.#list();
        for (const notification of notifications) await this.#process(notification);
        await this.#purge(notifications);
      } while (this.#wanted());
    } finally {
      this.#running = false;
    }
  }

  #wanted(): boolean {
    return this.#again && !this.#closed;
  }

  /** By ascending number; the names' order would do too, but for the overflow of the counter. */
  async #list(): Promise<Notification[]> {
    const names = await children(this.#context, CONFIG_CHANGES_PATH, this.#onChange);
    const notifications = names.map(name => ({
      path: `${CONFIG_CHANGES_PATH}/${name}`,
      sequence: sequenceNumber(CONFIG_CHANGE_PREFIX, name) ?? -1,
    }));
    return notifications.filter(({ sequence }) => sequence >= 0).sort((a, b) => a.sequence - b.sequence);
  }

  /** One function for all watches, so that watches set twice call once. */
  readonly #onChange = (): void => this.#wake();

  async #process({ path, sequence }: Notification): Promise<void> {
    if (sequence <= this.#lastSequence || this.#closed) return;
    const node = await read(this.#context, path);
    if (node !== null) this.#createdAt.set(path, node.stat.ctime);
    const change = node === null ? null : decodeConfigChange(node.data);
    if (change !== null) {
      try {
        await this.#handle(change);
      } catch (error) {
        this.#context.logger.error({ err: error, ...change }, 'cannot apply a config change');
      }
    } else if (node !== null) {
      this.#context.logger.warn({ path }, 'skipping a config change that cannot be read');
    }
    this.#lastSequence = sequence;
  }

  /** Forgets what others have removed, removes what is old. */
  async #purge(notifications: readonly Notification[]): Promise<void> {
    const known = this.#createdAt;
    this.#createdAt = new Map(notifications.map(({ path }) => [path, known.get(path) ?? Infinity]));
    const oldest = this.#context.clock.now() - EXPIRATION_MS;
    const expired = [...this.#createdAt].filter(([, createdAt]) => createdAt < oldest).map(([path]) => path);
    await all(expired.map(path => removeIfPresent(this.#context, path)));
  }
}
