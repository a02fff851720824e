import { partitionKey, type TopicPartition } from '../../topics/topic-partition.ts';
import { partitionPath, partitionsPath, partitionStatePath } from '../paths.ts';
import { decodePartitionState, encodePartitionState, type LeaderAndIsr } from '../znodes/partition-state.ts';
import { isZooKeeperError, type Operation } from '../zookeeper.ts';
import { read, untilKnown, type StoreContext } from './context.ts';
import { all, fencedBatches, fencedMulti, type Fence } from './fence.ts';

/** A partition and the state to write. */
export interface PartitionStateEntry extends TopicPartition {
  readonly state: LeaderAndIsr;
}

/** Outcome by partition key. What was written carries its new partition epoch. */
export interface StatesCreated {
  readonly created: ReadonlyMap<string, LeaderAndIsr>;
  readonly failed: ReadonlyMap<string, Error>;
}

export interface StatesUpdated {
  readonly updated: ReadonlyMap<string, LeaderAndIsr>;
  /** Partitions whose state has changed since it was read: read again, decide again. */
  readonly conflicts: readonly TopicPartition[];
  readonly failed: ReadonlyMap<string, Error>;
}

/** `/brokers/topics/<topic>/partitions/<partition>/state`: who leads, and who is in sync. */
export class PartitionStore {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** The states of those partitions that have one, by partition key. Pipelined: thousands are fine. */
  async states(partitions: readonly TopicPartition[]): Promise<Map<string, LeaderAndIsr>> {
    const found = new Map<string, LeaderAndIsr>();
    await all(
      partitions.map(async ({ topic, partition }) => {
        const node = await read(this.#context, partitionStatePath(topic, partition));
        const state = node === null ? null : decodePartitionState(node.data, node.stat.version);
        if (state !== null) found.set(partitionKey(topic, partition), state);
      }),
    );
    return found;
  }

  /**
   * Creates the states of new partitions, with the nodes above them; an entry fails with NODE_EXISTS if its partition
   * has a state already. The `partitionEpoch` of what is created is 0, whatever the entry says.
   * @throws ControllerMovedError
   */
  async createStates(entries: readonly PartitionStateEntry[], fence: Fence): Promise<StatesCreated> {
    const created = new Map<string, LeaderAndIsr>();
    const failed = new Map<string, Error>();
    await fencedBatches(this.#context, fence, withCreations(entries), {
      done: ({ entry }) => created.set(keyOf(entry), { ...entry.state, partitionEpoch: 0 }),
      alone: async ({ entry }, ambiguous) => {
        try {
          created.set(keyOf(entry), await this.#createAlone(entry, fence, ambiguous));
        } catch (error) {
          failed.set(keyOf(entry), partitionFailure(error));
        }
      },
    });
    return { created, failed };
  }

  /** Step by step: whether the nodes above the state are there already does not matter. */
  async #createAlone(entry: PartitionStateEntry, fence: Fence, ambiguous: boolean): Promise<LeaderAndIsr> {
    const { topic, partition } = entry;
    await this.#createParent(partitionsPath(topic), fence);
    await this.#createParent(partitionPath(topic, partition), fence);
    const wanted = { ...entry.state, partitionEpoch: 0 };
    return untilKnown(this.#context, async again => {
      try {
        await fencedMulti(this.#context, fence, [stateCreation(entry)]);
      } catch (error) {
        const mayBeOurs = (ambiguous || again) && isZooKeeperError(error, 'NODE_EXISTS');
        if (!mayBeOurs || !(await this.#holds(entry, wanted))) throw error;
      }
      return wanted;
    });
  }

  async #createParent(path: string, fence: Fence): Promise<void> {
    try {
      await untilKnown(this.#context, () => fencedMulti(this.#context, fence, [emptyCreation(path)]));
    } catch (error) {
      if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
    }
  }

  /**
   * Writes the states over what was read: an entry's `partitionEpoch` is the version its znode must have.
   * @throws ControllerMovedError
   */
  async updateStates(entries: readonly PartitionStateEntry[], fence: Fence): Promise<StatesUpdated> {
    const updated = new Map<string, LeaderAndIsr>();
    const conflicts: TopicPartition[] = [];
    const failed = new Map<string, Error>();
    const items = entries.map(entry => ({ entry, operations: [stateUpdate(entry)] }));
    await fencedBatches(this.#context, fence, items, {
      done: ({ entry }) => updated.set(keyOf(entry), nextState(entry)),
      alone: async ({ entry }, ambiguous) => {
        try {
          const state = await this.#updateAlone(entry, fence, ambiguous);
          if (state === null) conflicts.push({ topic: entry.topic, partition: entry.partition });
          else updated.set(keyOf(entry), state);
        } catch (error) {
          failed.set(keyOf(entry), partitionFailure(error));
        }
      },
    });
    return { updated, conflicts, failed };
  }

  /** null for a conflict: the node has another version, and not because an attempt with a lost answer had worked. */
  #updateAlone(entry: PartitionStateEntry, fence: Fence, ambiguous: boolean): Promise<LeaderAndIsr | null> {
    const wanted = nextState(entry);
    return untilKnown(this.#context, async again => {
      try {
        await fencedMulti(this.#context, fence, [stateUpdate(entry)]);
        return wanted;
      } catch (error) {
        if (!isZooKeeperError(error, 'BAD_VERSION')) throw error;
        return (ambiguous || again) && (await this.#holds(entry, wanted)) ? wanted : null;
      }
    });
  }

  /** Whether the node is exactly what we wanted to write. As only the controller writes here, then we did write it. */
  async #holds({ topic, partition }: TopicPartition, wanted: LeaderAndIsr): Promise<boolean> {
    const node = await this.#context.zk.getData(partitionStatePath(topic, partition));
    if (node?.stat.version !== wanted.partitionEpoch) return false;
    return node.data?.equals(encodePartitionState(wanted)) ?? false;
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return partitionKey(topic, partition);
}

function nextState({ state }: PartitionStateEntry): LeaderAndIsr {
  return { ...state, partitionEpoch: state.partitionEpoch + 1 };
}

/** Each entry with what creates it; the first one of a topic brings the topic's `partitions` node along. */
function withCreations(
  entries: readonly PartitionStateEntry[],
): { entry: PartitionStateEntry; operations: Operation[] }[] {
  const topics = new Set<string>();
  return entries.map(entry => {
    const { topic, partition } = entry;
    const operations = [emptyCreation(partitionPath(topic, partition)), stateCreation(entry)];
    if (!topics.has(topic)) operations.unshift(emptyCreation(partitionsPath(topic)));
    topics.add(topic);
    return { entry, operations };
  });
}

function emptyCreation(path: string): Operation {
  return { kind: 'create', path, data: null, mode: 'persistent' };
}

function stateCreation({ topic, partition, state }: PartitionStateEntry): Operation {
  const path = partitionStatePath(topic, partition);
  return { kind: 'create', path, data: encodePartitionState(state), mode: 'persistent' };
}

function stateUpdate({ topic, partition, state }: PartitionStateEntry): Operation {
  const path = partitionStatePath(topic, partition);
  return { kind: 'setData', path, data: encodePartitionState(state), version: state.partitionEpoch };
}

/** What concerns one partition only; anything else (controller moved, session expired) is thrown on, for all. */
function partitionFailure(error: unknown): Error {
  if (isZooKeeperError(error) && error.operationIndex >= 0) return error;
  throw error;
}
