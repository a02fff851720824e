import { CONTROLLER_EPOCH_PATH } from '../paths.ts';
import { isZooKeeperError, ZooKeeperError, type Operation, type OperationResult } from '../zookeeper.ts';
import { untilKnown, type StoreContext } from './context.ts';

/**
 * The right to write as the controller: znode version that `/controller_epoch` got when this controller was elected.
 * Every controller write is a multi whose first operation checks it, so that a controller that has been replaced
 * without knowing can change nothing (Kafka: `KafkaZkClient.wrapRequestWithControllerEpochCheck`).
 */
export interface Fence {
  readonly epochZkVersion: number;
}

/** Somebody else has become the controller. The one who gets this resigns and writes nothing more. */
export class ControllerMovedError extends Error {
  override readonly name = 'ControllerMovedError';

  constructor(fence: Fence) {
    super(`controller epoch znode is no longer at version ${fence.epochZkVersion}: another controller was elected`);
  }
}

/**
 * Does the operations, all or none, if the fence still holds.
 * @throws ControllerMovedError, or the ZooKeeperError of the first operation that failed (index into `operations`)
 */
export async function fencedMulti(
  { zk }: StoreContext,
  fence: Fence,
  operations: readonly Operation[],
): Promise<OperationResult[]> {
  const check: Operation = { kind: 'check', path: CONTROLLER_EPOCH_PATH, version: fence.epochZkVersion };
  try {
    return (await zk.multi([check, ...operations])).slice(1);
  } catch (error) {
    if (!isZooKeeperError(error) || error.operationIndex < 0) throw error;
    if (error.operationIndex === 0) throw new ControllerMovedError(fence);
    throw new ZooKeeperError(error.code, error.path, error.message, error.operationIndex - 1);
  }
}

/** Largest count of operations and bytes (of data and paths) in one multi; the server refuses about a megabyte. */
const MAX_BATCH_OPERATIONS = 200;
const MAX_BATCH_BYTES = 400_000;

/** Cuts groups of operations that belong together into batches that fit one multi. Order is kept. */
function batches<T>(items: readonly T[], operationsOf: (item: T) => readonly Operation[]): T[][] {
  const result: T[][] = [];
  let count = Infinity;
  let bytes = 0;
  for (const item of items) {
    const operations = operationsOf(item);
    const size = operations.reduce((sum, operation) => sum + byteSize(operation), 0);
    if (count + operations.length > MAX_BATCH_OPERATIONS || bytes + size > MAX_BATCH_BYTES) {
      result.push([]);
      count = 0;
      bytes = 0;
    }
    result.at(-1)!.push(item);
    count += operations.length;
    bytes += size;
  }
  return result;
}

function byteSize(operation: Operation): number {
  return 2 * operation.path.length + ('data' in operation ? (operation.data?.length ?? 0) : 0);
}

/**
 * Removes the nodes in the given order under the fence; those that are gone already are fine. In batches, or one by one
 * where a batch met a node that is gone.
 * @throws ControllerMovedError
 */
export async function fencedRemove(context: StoreContext, fence: Fence, paths: readonly string[]): Promise<void> {
  const removal = (path: string): Operation => ({ kind: 'remove', path, version: -1 });
  for (const batch of batches(paths, path => [removal(path)])) {
    try {
      await untilKnown(context, () => fencedMulti(context, fence, batch.map(removal)));
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error;
      if (batch.length > 1) for (const path of batch) await fencedRemove(context, fence, [path]);
    }
  }
}

/** Something to write, as operations that must succeed together. */
interface BatchItem {
  readonly operations: readonly Operation[];
}

/**
 * Writes many items under the fence, most of them in a few large multis. Where one item spoils its batch, each of that
 * batch is handed to `alone`, together with whether the batch may have been written all the same (its answer was lost).
 * @throws ControllerMovedError, and whatever `alone` throws
 */
export async function fencedBatches<T extends BatchItem>(
  context: StoreContext,
  fence: Fence,
  items: readonly T[],
  handle: { done(item: T): void; alone(item: T, ambiguous: boolean): Promise<void> },
): Promise<void> {
  const writeBatch = async (batch: readonly T[]): Promise<void> => {
    let ambiguous = false;
    try {
      await untilKnown(context, again => {
        ambiguous = again;
        return fencedMulti(
          context,
          fence,
          batch.flatMap(item => item.operations),
        );
      });
      for (const item of batch) handle.done(item);
    } catch (error) {
      if (!isZooKeeperError(error) || error.operationIndex < 0) throw error;
      await all(batch.map(item => handle.alone(item, ambiguous)));
    }
  };
  await all(batches(items, item => item.operations).map(writeBatch));
}

/** Like Promise.all, but waits for all before it rejects: nothing of ours is under way any more when the caller goes on. */
export async function all<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find(result => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return settled.map(result => (result as PromiseFulfilledResult<T>).value);
}
