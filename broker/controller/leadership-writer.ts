import type { Fence, LeaderAndIsr, PartitionStateEntry, ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import type { ControlledPartition } from './context.ts';
import type { Failpoint, Failpoints } from './failpoints.ts';

/** What was decided for partitions; those that are not in it are left alone. */
export type LeadershipDecisions = ReadonlyMap<ControlledPartition, LeaderAndIsr>;

export interface LeadershipWritten {
  readonly written: readonly ControlledPartition[];
  readonly failed: ReadonlyMap<ControlledPartition, Error>;
}

/**
 * Changes leadership in ZooKeeper and then in memory. Decisions are made on what is in memory, which is almost always
 * what the znode holds: if it is not, the conditional write fails, the state is read and the decision made again.
 */
export class LeadershipWriter {
  readonly #store: ZooKeeperStore;
  readonly #controller: Fence & { readonly epoch: number };
  readonly #failpoints: Failpoints | undefined;

  constructor(store: ZooKeeperStore, controller: Fence & { readonly epoch: number }, failpoints?: Failpoints) {
    this.#store = store;
    this.#controller = controller;
    this.#failpoints = failpoints;
  }

  /**
   * @param decide is given partitions with leadership; may be asked again about those that have changed meanwhile
   * @throws ControllerMovedError
   */
  async write(
    partitions: readonly ControlledPartition[],
    decide: (partitions: readonly ControlledPartition[]) => Promise<LeadershipDecisions> | LeadershipDecisions,
    failpoints: { readonly before: Failpoint; readonly after: Failpoint },
  ): Promise<LeadershipWritten> {
    const written: ControlledPartition[] = [];
    const failed = new Map<ControlledPartition, Error>();
    let remaining = withLeadership(partitions, failed);
    while (remaining.length > 0) {
      const decisions = await decide(remaining);
      if (decisions.size === 0) break;
      await this.#failpoints?.hit(failpoints.before);
      const conflicts = await this.#writeOnce(decisions, written, failed);
      await this.#failpoints?.hit(failpoints.after);
      await this.reload(conflicts);
      remaining = withLeadership(conflicts, failed).filter(partition => this.#mayWrite(partition, failed));
    }
    return { written, failed };
  }

  /** Resolves with the partitions whose znode was not what memory said. */
  async #writeOnce(
    decisions: LeadershipDecisions,
    written: ControlledPartition[],
    failed: Map<ControlledPartition, Error>,
  ): Promise<ControlledPartition[]> {
    const entries = [...decisions].map(
      ([{ topic, partition }, state]): PartitionStateEntry => ({ topic, partition, state }),
    );
    const outcome = await this.#store.partitions.updateStates(entries, this.#controller);
    const conflicts: ControlledPartition[] = [];
    for (const partition of decisions.keys()) {
      const state = outcome.updated.get(partition.key);
      const error = outcome.failed.get(partition.key);
      if (state !== undefined) {
        partition.leadership = state;
        written.push(partition);
      } else if (error !== undefined) failed.set(partition, error);
      else conflicts.push(partition);
    }
    return conflicts;
  }

  /** Takes over what the znodes say now. */
  async reload(partitions: readonly ControlledPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const states = await this.#store.partitions.states(partitions);
    for (const partition of partitions) partition.leadership = states.get(partition.key) ?? null;
  }

  /** A state written by a later controller shows that we are no longer it, even before the fence does. */
  #mayWrite(partition: ControlledPartition, failed: Map<ControlledPartition, Error>): boolean {
    const writer = partition.leadership?.controllerEpoch ?? 0;
    if (writer <= this.#controller.epoch) return true;
    failed.set(partition, new Error(`its state was written by a controller with the later epoch ${writer}`));
    return false;
  }
}

function withLeadership(
  partitions: readonly ControlledPartition[],
  failed: Map<ControlledPartition, Error>,
): ControlledPartition[] {
  return partitions.filter(partition => {
    if (partition.leadership === null) failed.set(partition, new Error('it has no state in ZooKeeper'));
    return partition.leadership !== null;
  });
}
