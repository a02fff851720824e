import type { Logger } from '../../runtime/logger.ts';
import type { WatchEvent, Watcher, WatchEventType } from '../zookeeper.ts';
import { jute, LIBRARY_CONNECTION_LOSS, type ConnectionManager } from './library.ts';

/** What a watch is on: a node and its data (getData, exists), or a node's children. */
export type WatchKind = 'node' | 'children';

/** An event as the library reports it. */
export interface LibraryEvent {
  readonly type: number;
}

export type LibraryWatcher = (event: LibraryEvent) => void;

const EVENT_TYPES: Readonly<Record<number, WatchEventType>> = {
  1: 'created',
  2: 'deleted',
  3: 'dataChanged',
  4: 'childrenChanged',
};

interface Watch {
  /** The one function that the library knows for this node: it tells functions apart by identity. */
  readonly libraryWatcher: LibraryWatcher;
  readonly watchers: Set<Watcher>;
}

/**
 * The watches of one session. A node that is read again and again with the same watcher has it once, and a watcher that
 * throws harms nobody. Paths are relative to the chroot.
 */
export class WatchRegistry {
  readonly #watches = new Map<string, Watch>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** What to hand to the library with a read. It counts only once the read has been answered and `add` been called. */
  libraryWatcher(kind: WatchKind, path: string): LibraryWatcher {
    return this.#watches.get(keyOf(kind, path))?.libraryWatcher ?? (event => this.#fire(kind, path, event));
  }

  add(kind: WatchKind, path: string, watcher: Watcher, libraryWatcher: LibraryWatcher): void {
    const key = keyOf(kind, path);
    const watch = this.#watches.get(key);
    if (watch === undefined) this.#watches.set(key, { libraryWatcher, watchers: new Set([watcher]) });
    else watch.watchers.add(watcher);
  }

  #fire(kind: WatchKind, path: string, { type }: LibraryEvent): void {
    const watch = this.#watches.get(keyOf(kind, path));
    const eventType = EVENT_TYPES[type];
    if (watch === undefined || eventType === undefined) return;
    this.#watches.delete(keyOf(kind, path));
    const event: WatchEvent = { type: eventType, path };
    for (const watcher of watch.watchers) {
      try {
        watcher(event);
      } catch (error) {
        this.#logger.error({ err: error, path }, 'a watcher threw');
      }
    }
  }
}

function keyOf(kind: WatchKind, path: string): string {
  return `${kind} ${path}`;
}

/** Most bytes of paths in one packet of watches; the server closes the connection on packets of about a megabyte. */
const MAX_PACKET_BYTES = 250_000;

type WatchList = 'dataWatches' | 'existWatches' | 'childWatches';

/**
 * Sets the session's watches anew on the server that it has moved to, and has it report what changed in between. The
 * library would send them all in one packet, which from some ten thousand watches on makes an endless loop of reconnects.
 */
export function rearmWatches(manager: ConnectionManager, onFailure: (error: unknown) => void): void {
  // Answers to the first packets move the manager's zxid on; all packets are about the one before the disconnect.
  const zxid = Buffer.from(manager.zxid);
  const { watcherManager } = manager;
  const lists: [WatchList, string[]][] = [
    ['dataWatches', watcherManager.getDataWatcherPaths()],
    ['existWatches', watcherManager.getExistenceWatcherPaths()],
    ['childWatches', watcherManager.getChildWatcherPaths()],
  ];
  for (const [list, paths] of lists) {
    for (const chunk of chunksOf(paths)) {
      const header = new jute.protocol.RequestHeader();
      header.type = jute.OP_CODES.SET_WATCHES;
      const payload = new jute.protocol.SetWatches();
      Object.assign(payload, { relativeZxid: zxid, dataWatches: [], existWatches: [], childWatches: [] });
      payload[list] = chunk;
      manager.queue(new jute.Request(header, payload), error => {
        if (error && (error as { code?: unknown }).code !== LIBRARY_CONNECTION_LOSS) onFailure(error);
      });
    }
  }
}

function chunksOf(paths: readonly string[]): string[][] {
  const chunks: string[][] = [];
  let bytes = Infinity;
  for (const path of paths) {
    const size = Buffer.byteLength(path) + 4;
    if (bytes + size > MAX_PACKET_BYTES) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)!.push(path);
    bytes += size;
  }
  return chunks;
}
