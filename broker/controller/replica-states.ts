import type { Logger } from '../../shared/runtime/logger.ts';
import type { LeaderAndIsr } from '../../shared/zookeeper/store.ts';
import {
  replicasOf,
  replicaState,
  type ControlledPartition,
  type ControllerContext,
  type PartitionReplica,
} from './context.ts';
import type { ControlRequests } from './control-requests.ts';
import { stateWithoutReplica } from './election.ts';
import type { LeadershipWriter } from './leadership-writer.ts';
import type { RequestBatch } from './request-batch.ts';
import { REPLICA_STATE_SOURCES, type ReplicaState } from './states.ts';

export interface ReplicaStatesParts {
  readonly epoch: number;
  readonly context: ControllerContext;
  readonly requests: ControlRequests;
  readonly writer: LeadershipWriter;
  readonly logger: Logger;
}

/** Does what belongs to the transition of one broker's replicas, and sets their new state where it succeeds. */
type Action = (replicas: readonly PartitionReplica[], batch: RequestBatch) => Promise<void> | void;

/** What happens when replicas change their state (Kafka: `ZkReplicaStateMachine`). */
export class ReplicaStates {
  readonly #parts: ReplicaStatesParts;

  readonly #actions: Readonly<Record<ReplicaState, Action>> = {
    NewReplica: (replicas, batch) => replicas.forEach(replica => this.#start(replica, batch)),
    OnlineReplica: (replicas, batch) => replicas.forEach(replica => this.#goOnline(replica, batch)),
    OfflineReplica: (replicas, batch) => this.#goOffline(replicas, batch),
    ReplicaDeletionStarted: (replicas, batch) => {
      for (const replica of replicas) {
        batch.addStopReplica(replica.broker, replica.partition, true);
        set(replica, 'ReplicaDeletionStarted');
      }
    },
    ReplicaDeletionSuccessful: replicas => replicas.forEach(replica => set(replica, 'ReplicaDeletionSuccessful')),
    ReplicaDeletionIneligible: replicas => replicas.forEach(replica => set(replica, 'ReplicaDeletionIneligible')),
    NonExistentReplica: replicas => replicas.forEach(forget),
  };

  constructor(parts: ReplicaStatesParts) {
    this.#parts = parts;
  }

  /**
   * Puts all replicas into their first states after a change of controllers, and tells every live broker what it has;
   * replicas elsewhere leave their ISR.
   */
  async startUp(): Promise<void> {
    const { context } = this.#parts;
    const replicas = replicasOf(context.allPartitions());
    const isOnline = ({ partition, broker }: PartitionReplica) => context.isReplicaOnline(broker, partition);
    for (const replica of replicas) set(replica, isOnline(replica) ? 'OnlineReplica' : 'ReplicaDeletionIneligible');
    await this.change(replicas.filter(isOnline), 'OnlineReplica');
    await this.change(
      replicas.filter(replica => !isOnline(replica)),
      'OfflineReplica',
    );
  }

  /**
   * Changes the replicas' state as far as the table allows it, with everything that goes with it. Those that fail are
   * logged and keep their state.
   * @throws ControllerMovedError, and what ends the session
   */
  async change(replicas: readonly PartitionReplica[], target: ReplicaState): Promise<void> {
    if (replicas.length === 0) return;
    const { requests } = this.#parts;
    const batch = requests.begin();
    const valid = replicas.filter(replica => this.#isAllowed(replica, target));
    // Broker by broker: a partition that loses two replicas leaves its ISR by two writes, the second based on the first.
    for (const group of byBroker(valid)) await this.#actions[target](group, batch);
    await requests.flush();
  }

  #isAllowed(replica: PartitionReplica, target: ReplicaState): boolean {
    const current = replicaState(replica);
    if (REPLICA_STATE_SOURCES[target].includes(current)) return true;
    this.#fail(replica, target, `it is in state ${current}`);
    return false;
  }

  #fail({ partition, broker }: PartitionReplica, target: ReplicaState, reason: string): void {
    this.#parts.logger.warn(
      { topic: partition.topic, partition: partition.partition, replica: broker, target },
      `replica ${broker} of ${partition.key} cannot go to ${target}: ${reason}`,
    );
  }

  /** A new replica of a partition that has a leader begins to follow it; before that there is nothing to tell. */
  #start(replica: PartitionReplica, batch: RequestBatch): void {
    const { partition, broker } = replica;
    if (partition.leadership?.leader === broker) {
      this.#fail(replica, 'NewReplica', 'it leads the partition');
      return;
    }
    if (partition.leadership !== null) batch.addLeaderAndIsr([broker], partition, true);
    set(replica, 'NewReplica');
  }

  #goOnline(replica: PartitionReplica, batch: RequestBatch): void {
    const { partition, broker } = replica;
    if (replicaState(replica) === 'NewReplica') ensureAssigned(partition, broker);
    else if (partition.leadership !== null) batch.addLeaderAndIsr([broker], partition, false);
    set(replica, 'OnlineReplica');
  }

  /** Stops the replicas and takes them out of their ISRs. */
  async #goOffline(replicas: readonly PartitionReplica[], batch: RequestBatch): Promise<void> {
    for (const { partition, broker } of replicas) batch.addStopReplica(broker, partition, false);
    const failed = await this.#leaveIsrs(replicas, batch);
    for (const replica of replicas) {
      const error = failed.get(replica.partition);
      if (error === undefined) set(replica, 'OfflineReplica');
      else this.#fail(replica, 'OfflineReplica', error.message);
    }
  }

  /** @param replicas all of one broker */
  async #leaveIsrs(
    replicas: readonly PartitionReplica[],
    batch: RequestBatch,
  ): Promise<ReadonlyMap<ControlledPartition, Error>> {
    const { context, writer, epoch } = this.#parts;
    const broker = replicas[0]!.broker;
    const led = replicas.map(({ partition }) => partition).filter(({ leadership }) => leadership !== null);
    const { written, failed } = await writer.write(led, partitions => withoutReplica(partitions, broker, epoch), {
      before: 'isr-shrink.before-write',
      after: 'isr-shrink.after-write',
    });
    const told = written.filter(({ topic }) => !context.isQueuedForDeletion(topic));
    for (const partition of told) {
      const others = partition.assignment.replicas.filter(replica => replica !== broker);
      batch.addLeaderAndIsr(others, partition, false);
    }
    // Where the ISR did not change, it is still news that the replica is offline.
    batch.addUpdateMetadata(
      context.liveOrShuttingDownIds(),
      replicas.map(({ partition }) => partition),
    );
    return failed;
  }
}

function withoutReplica(
  partitions: readonly ControlledPartition[],
  broker: number,
  epoch: number,
): Map<ControlledPartition, LeaderAndIsr> {
  const decisions = new Map<ControlledPartition, LeaderAndIsr>();
  for (const partition of partitions) {
    const state = stateWithoutReplica(partition.leadership!, broker, epoch);
    if (state !== null) decisions.set(partition, state);
  }
  return decisions;
}

function set({ partition, broker }: PartitionReplica, state: ReplicaState): void {
  partition.replicaStates.set(broker, state);
}

function ensureAssigned(partition: ControlledPartition, broker: number): void {
  const { assignment } = partition;
  if (assignment.replicas.includes(broker)) return;
  partition.assignment = { ...assignment, replicas: [...assignment.replicas, broker] };
}

function forget({ partition, broker }: PartitionReplica): void {
  partition.replicaStates.delete(broker);
  const without = (replicas: readonly number[]) => replicas.filter(replica => replica !== broker);
  const { replicas, adding, removing } = partition.assignment;
  partition.assignment = { replicas: without(replicas), adding: without(adding), removing: without(removing) };
}

function byBroker(replicas: readonly PartitionReplica[]): PartitionReplica[][] {
  const groups = new Map<number, PartitionReplica[]>();
  for (const replica of replicas) {
    const group = groups.get(replica.broker);
    if (group === undefined) groups.set(replica.broker, [replica]);
    else group.push(replica);
  }
  return [...groups.values()];
}
