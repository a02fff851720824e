import { CONTROLLER_EPOCH_PATH, CONTROLLER_PATH } from '../paths.ts';
import {
  decodeController,
  decodeControllerEpoch,
  encodeController,
  encodeControllerEpoch,
  INITIAL_CONTROLLER_EPOCH,
} from '../znodes/controller.ts';
import { isZooKeeperError, type Watcher } from '../zookeeper.ts';
import { createIfAbsent, read, untilKnown, type StoreContext } from './context.ts';
import { ControllerMovedError, fencedMulti, type Fence } from './fence.ts';

/** What an elected controller holds: its epoch, and the fence for its writes. */
export interface ControllerEpoch extends Fence {
  readonly epoch: number;
}

/** `/controller` and `/controller_epoch`. */
export class ControllerStore {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** Id of the active controller, null when there is none. The watcher tells when that changes. */
  async activeId(watcher?: Watcher): Promise<number | null> {
    const node = await read(this.#context, CONTROLLER_PATH, watcher);
    return node === null ? null : decodeController(node.data);
  }

  /**
   * Tries to become the controller (Kafka: `KafkaZkClient.registerControllerAndIncrementControllerEpoch`). Claiming
   * `/controller` and raising the epoch is one multi: of two that try at a time only one can have both.
   * @param nowMs election time for the record, milliseconds since the Unix epoch
   * @returns null when somebody else is, or was quicker
   */
  async elect(brokerId: number, nowMs: number): Promise<ControllerEpoch | null> {
    if ((await read(this.#context, CONTROLLER_PATH)) !== null) return null;
    const { epoch: current, version } = await this.#readOrCreateEpoch();
    const epoch = current + 1;
    return untilKnown(this.#context, async again => {
      try {
        const [, set] = await this.#context.zk.multi([
          { kind: 'create', path: CONTROLLER_PATH, data: encodeController(brokerId, nowMs), mode: 'ephemeral' },
          { kind: 'setData', path: CONTROLLER_EPOCH_PATH, data: encodeControllerEpoch(epoch), version },
        ]);
        return { epoch, epochZkVersion: (set as { stat: { version: number } }).stat.version };
      } catch (error) {
        if (!isZooKeeperError(error, 'NODE_EXISTS', 'BAD_VERSION')) throw error;
        return again ? await this.#electedAfterAll(brokerId, epoch) : null;
      }
    });
  }

  async #readOrCreateEpoch(): Promise<{ epoch: number; version: number }> {
    while (true) {
      const node = await read(this.#context, CONTROLLER_EPOCH_PATH);
      if (node !== null) return { epoch: decodeControllerEpoch(node.data), version: node.stat.version };
      await createIfAbsent(this.#context, CONTROLLER_EPOCH_PATH, encodeControllerEpoch(INITIAL_CONTROLLER_EPOCH));
    }
  }

  /**
   * The election whose answer was lost with the connection may have been won: then `/controller` is this session's and
   * the epoch is the one it wanted to set. Nobody else can have raised the epoch while the node is ours.
   */
  async #electedAfterAll(brokerId: number, epoch: number): Promise<ControllerEpoch | null> {
    const { zk } = this.#context;
    const controller = await zk.getData(CONTROLLER_PATH);
    if (controller === null || controller.stat.ephemeralOwner !== zk.sessionId) return null;
    if (decodeController(controller.data) !== brokerId) return null;
    const current = await zk.getData(CONTROLLER_EPOCH_PATH);
    if (current === null || decodeControllerEpoch(current.data) !== epoch) return null;
    return { epoch, epochZkVersion: current.stat.version };
  }

  /** Removes a `/controller` that this very session made, for a broker that does not fill the office. */
  async dropUnfilled(brokerId: number): Promise<void> {
    const node = await read(this.#context, CONTROLLER_PATH);
    if (node === null || node.stat.ephemeralOwner !== this.#context.zk.sessionId) return;
    if (decodeController(node.data) !== brokerId) return;
    try {
      await untilKnown(this.#context, () => this.#context.zk.remove(CONTROLLER_PATH, node.stat.version));
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE', 'BAD_VERSION')) throw error;
    }
  }

  /** Gives the office up, if it is still held: removes `/controller` so that another election starts. */
  async resign(epochZkVersion: number): Promise<void> {
    try {
      await untilKnown(this.#context, () =>
        fencedMulti(this.#context, { epochZkVersion }, [{ kind: 'remove', path: CONTROLLER_PATH, version: -1 }]),
      );
    } catch (error) {
      if (!(error instanceof ControllerMovedError) && !isZooKeeperError(error, 'NO_NODE')) throw error;
    }
  }
}
