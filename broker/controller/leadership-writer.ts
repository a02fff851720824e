import type {
  ControllerEpoch,
  LeaderAndIsr,
  PartitionStateEntry,
  ZooKeeperStore,
} from '../../shared/zookeeper/store.ts';
import type { ControlledPartition } from './context.ts';
import type { Failpoint, Failpoints } from './failpoints.ts';

/** What was decided for partitions; those that are not in it are left alone. */
export type LeadershipDecisions = ReadonlyMap<ControlledPartition, LeaderAndIsr>;

/** Where a test may stop the controller around a write. */
export interface WritePoints {
  readonly before: Failpoint;
  readonly after: Failpoint;
}

/** What became of decisions. Memory has what the znodes say. */
export interface WriteOutcome {
  readonly written: readonly ControlledPartition[];
  /** The znode was not what memory said; it has been read again. */
  readonly conflicts: readonly ControlledPartition[];
  readonly failed: ReadonlyMap<ControlledPartition, Error>;
}

/**
 * Changes leadership in ZooKeeper and then in memory. Decisions are made on what is in memory, which is almost always
 * what the znode holds: if it is not, the conditional write fails, and memory is brought up to date.
 */
export class LeadershipWriter {
  readonly #store: ZooKeeperStore;
  readonly #controller: ControllerEpoch;
  readonly #failpoints: Failpoints | undefined;

  constructor(store: ZooKeeperStore, controller: ControllerEpoch, failpoints: Failpoints | undefined) {
    this.#store = store;
    this.#controller = controller;
    this.#failpoints = failpoints;
  }

  /**
   * Writes what `decide` says, and asks it again about partitions that have changed meanwhile, until all are settled.
   * @param decide is given partitions with leadership only; the others fail
   * @throws ControllerMovedError
   */
  async write(
    partitions: readonly ControlledPartition[],
    decide: (partitions: readonly ControlledPartition[]) => Promise<LeadershipDecisions> | LeadershipDecisions,
    points: WritePoints,
  ): Promise<Omit<WriteOutcome, 'conflicts'>> {
    const written: ControlledPartition[] = [];
    const failed = new Map<ControlledPartition, Error>();
    for (let remaining = partitions; remaining.length > 0;) {
      const decisions = await decide(remaining.filter(partition => this.#isWritable(partition, failed)));
      const outcome = await this.writeOnce(decisions, points);
      written.push(...outcome.written);
      for (const [partition, error] of outcome.failed) failed.set(partition, error);
      remaining = outcome.conflicts;
    }
    return { written, failed };
  }

  /** Writes the decisions, each if its znode still is what memory says. @throws ControllerMovedError */
  async writeOnce(decisions: LeadershipDecisions, points: WritePoints): Promise<WriteOutcome> {
    if (decisions.size === 0) return { written: [], conflicts: [], failed: new Map() };
    const entries = [...decisions].map(([{ topic, partition }, state]): PartitionStateEntry => ({
      topic,
      partition,
      state,
    }));
    await this.#failpoints?.hit(points.before);
    const { updated, failed } = await this.#store.partitions.updateStates(entries, this.#controller);
    await this.#failpoints?.hit(points.after);
    const partitions = [...decisions.keys()];
    const written = partitions.filter(({ key }) => updated.has(key));
    for (const partition of written) partition.leadership = updated.get(partition.key)!;
    const conflicts = partitions.filter(({ key }) => !updated.has(key) && !failed.has(key));
    await this.reload(conflicts);
    return { written, conflicts, failed: byPartition(partitions, failed) };
  }

  /** Takes over what the znodes say now. */
  async reload(partitions: readonly ControlledPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const states = await this.#store.partitions.states(partitions);
    for (const partition of partitions) partition.leadership = states.get(partition.key) ?? null;
  }

  #isWritable(partition: ControlledPartition, failed: Map<ControlledPartition, Error>): boolean {
    const problem = this.#problem(partition);
    if (problem !== null) failed.set(partition, new Error(problem));
    return problem === null;
  }

  /** A state written by a later controller shows that we are no longer it, even before the fence does. */
  #problem({ leadership }: ControlledPartition): string | null {
    if (leadership === null) return 'it has no state in ZooKeeper';
    if (leadership.controllerEpoch <= this.#controller.epoch) return null;
    return `its state was written by a controller with the later epoch ${leadership.controllerEpoch}`;
  }
}

function byPartition(
  partitions: readonly ControlledPartition[],
  failed: ReadonlyMap<string, Error>,
): Map<ControlledPartition, Error> {
  return new Map(
    partitions.flatMap(partition => {
      const error = failed.get(partition.key);
      return error === undefined ? [] : [[partition, error]];
    }),
  );
}
