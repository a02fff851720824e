import type { Clock, Timers } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { isZooKeeperError, ZooKeeperError, type Stat, type Watcher, type ZooKeeper } from '../zookeeper.ts';

/** What all parts of the store work with. */
export interface StoreContext {
  readonly zk: ZooKeeper;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Pause before a call whose connection broke is made again, milliseconds: keeps a broken server from being hammered. */
const RETRY_PAUSE_MS = 50;

/**
 * Repeats `attempt` until its outcome is known: as long as it ends in CONNECTION_LOSS within one session. Like Kafka's
 * `retryRequestsUntilConnected`, without a time limit of its own; the end of the session ends it (SESSION_EXPIRED),
 * since what was decided under one session must not be written under the next.
 * @param attempt is told whether an earlier attempt may have taken effect
 */
export async function untilKnown<T>({ zk, timers }: StoreContext, attempt: (again: boolean) => Promise<T>): Promise<T> {
  let session = zk.sessionId;
  for (let again = false; ; again = true) {
    try {
      return await attempt(again);
    } catch (error) {
      if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
      await timers.sleep(RETRY_PAUSE_MS);
      if (session === 0n) session = zk.sessionId;
      if (zk.sessionId !== session) {
        throw new ZooKeeperError('SESSION_EXPIRED', error.path, `session expired while retrying: ${error.message}`);
      }
    }
  }
}

/**
 * Does it again in the next session when one ends meanwhile: for what neither belongs to a session nor was decided under
 * one, such as reading at the start, or the registration itself.
 */
export async function acrossSessions<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isZooKeeperError(error, 'SESSION_EXPIRED')) throw error;
    }
  }
}

/** What a node holds, null when there is none. The watcher is set in both cases. */
export function read(
  context: StoreContext,
  path: string,
  watcher?: Watcher,
): Promise<{ data: Buffer | null; stat: Stat } | null> {
  return untilKnown(context, () => context.zk.getData(path, watcher));
}

/** Children of a node that may be missing: none then. */
export async function children(context: StoreContext, path: string, watcher?: Watcher): Promise<string[]> {
  return (await untilKnown(context, () => context.zk.getChildren(path, watcher))) ?? [];
}

/** Every node below `path`, parents before their children; none when the node is missing. */
export async function descendants(context: StoreContext, path: string): Promise<string[]> {
  const all: string[] = [];
  for (let level = [path]; level.length > 0;) {
    const below = await Promise.all(
      level.map(async parent => (await children(context, parent)).map(name => `${parent}/${name}`)),
    );
    level = below.flat();
    all.push(...level);
  }
  return all;
}

/** Creates a persistent node; false when it was there already (or is there since an attempt whose answer was lost). */
export function createIfAbsent(context: StoreContext, path: string, data: Buffer | null): Promise<boolean> {
  return untilKnown(context, async () => {
    try {
      await context.zk.create(path, data, 'persistent');
      return true;
    } catch (error) {
      if (isZooKeeperError(error, 'NODE_EXISTS')) return false;
      throw error;
    }
  });
}

/** Creates a persistent node and those above it that are missing. False when it was there already. */
export async function createWithParents(context: StoreContext, path: string, data: Buffer | null): Promise<boolean> {
  const parents = path.split('/').slice(1, -1);
  for (let depth = 1; depth <= parents.length; depth++) {
    await createIfAbsent(context, `/${parents.slice(0, depth).join('/')}`, null);
  }
  return createIfAbsent(context, path, data);
}

/** Removes a node whatever its version; fine if it is gone. */
export function removeIfPresent(context: StoreContext, path: string): Promise<void> {
  return untilKnown(context, async () => {
    try {
      await context.zk.remove(path, -1);
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
    }
  });
}
