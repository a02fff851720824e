import type { LeaderAndIsr } from '../../shared/zookeeper/store.ts';

/** Why a leader is elected; decides who may lead and who stays in sync. */
export type ElectionKind = 'offline' | 'preferred' | 'reassignment' | 'controlledShutdown';

/** A partition that needs a leader, and what is known about its replicas. */
export interface ElectionCandidate {
  /** Assigned replicas, the preferred one first. */
  readonly replicas: readonly number[];
  readonly current: LeaderAndIsr;
  /** Whether the replica's broker is live, not shutting down, and its log directory works. */
  readonly isOnline: (broker: number) => boolean;
  /** The same, but with brokers that are shutting down. */
  readonly isOnlineOrShuttingDown: (broker: number) => boolean;
  readonly isShuttingDown: (broker: number) => boolean;
  /** Whether a replica out of sync may lead when no other can: losing records rather than being unavailable. */
  readonly uncleanAllowed: boolean;
}

export interface ElectionOutcome {
  readonly leader: number;
  readonly isr: readonly number[];
  /** The leader was not in sync. */
  readonly unclean: boolean;
  /** Who must be told with LeaderAndIsr. */
  readonly recipients: readonly number[];
}

/** null: nobody may lead, the partition stays as it is. */
type Strategy = (candidate: ElectionCandidate) => ElectionOutcome | null;

/**
 * The strategies by kind (Kafka: `PartitionLeaderElectionAlgorithms` and `Election`). Pure: they see one candidate and
 * decide.
 */
const STRATEGIES: Readonly<Record<ElectionKind, Strategy>> = {
  /** The leader is gone: the first replica that is online and in sync, else, if allowed, the first that is online. */
  offline: ({ replicas, current: { isr }, isOnline, uncleanAllowed }) => {
    const recipients = replicas.filter(isOnline);
    const clean = recipients.find(replica => isr.includes(replica));
    if (clean !== undefined) return { leader: clean, isr: isr.filter(isOnline), unclean: false, recipients };
    const unclean = recipients[0];
    if (unclean === undefined || !uncleanAllowed) return null;
    return { leader: unclean, isr: [unclean], unclean: true, recipients };
  },

  /** Back to the first assigned replica, if it is fit. */
  preferred: ({ replicas, current: { isr }, isOnline }) => {
    const leader = replicas[0];
    if (leader === undefined || !isOnline(leader) || !isr.includes(leader)) return null;
    return { leader, isr, unclean: false, recipients: replicas };
  },

  /** To one of the target replicas, which by now are the assigned ones. Those that go may still be in sync. */
  reassignment: ({ replicas, current: { isr }, isOnline }) => {
    const leader = replicas.find(replica => isOnline(replica) && isr.includes(replica));
    return leader === undefined ? null : { leader, isr, unclean: false, recipients: replicas };
  },

  /** Away from brokers that are about to stop; they learn of it too, since they are still serving. */
  controlledShutdown: ({ replicas, current: { isr }, isOnlineOrShuttingDown, isShuttingDown }) => {
    const recipients = replicas.filter(isOnlineOrShuttingDown);
    const leader = recipients.find(replica => isr.includes(replica) && !isShuttingDown(replica));
    if (leader === undefined) return null;
    return { leader, isr: isr.filter(replica => !isShuttingDown(replica)), unclean: false, recipients };
  },
};

/** Who leads next, by the strategy of `kind`; null when nobody may. */
export function electLeader(kind: ElectionKind, candidate: ElectionCandidate): ElectionOutcome | null {
  return STRATEGIES[kind](candidate);
}

/** Whether only an unclean election could help: the question that is worth reading the topic's configuration for. */
export function needsUncleanElection(candidate: ElectionCandidate): boolean {
  return !candidate.replicas.some(replica => candidate.current.isr.includes(replica) && candidate.isOnline(replica));
}

/**
 * The state that records the outcome. Every election raises the leader epoch, which fences the former leader; the
 * partition epoch stays what was read, since it is the version that the conditional write expects.
 */
export function stateAfterElection(
  current: LeaderAndIsr,
  { leader, isr, unclean }: ElectionOutcome,
  controllerEpoch: number,
): LeaderAndIsr {
  return {
    ...current,
    leader,
    isr,
    leaderEpoch: current.leaderEpoch + 1,
    controllerEpoch,
    recovering: unclean || current.recovering,
  };
}

/** The state with a leader epoch of its own: whoever acts in the former one is fenced, and news of this one is taken. */
export function stateInNextEpoch(current: LeaderAndIsr, controllerEpoch: number): LeaderAndIsr {
  return { ...current, leaderEpoch: current.leaderEpoch + 1, controllerEpoch };
}

export const NO_LEADER = -1;

/**
 * The state of a partition whose replica on `broker` has gone: out of the ISR, unless it is the last one there, which
 * must be remembered as the only one known to have everything; without a leader if it led. null when that is how it is
 * already: then there is nothing to write (Kafka: `ReplicaStateMachine.doRemoveReplicasFromIsr`).
 */
export function stateWithoutReplica(
  current: LeaderAndIsr,
  broker: number,
  controllerEpoch: number,
): LeaderAndIsr | null {
  const led = current.leader === broker;
  const isr = current.isr.length === 1 ? current.isr : current.isr.filter(replica => replica !== broker);
  if (!led && isr.length === current.isr.length) return null;
  return {
    ...current,
    leader: led ? NO_LEADER : current.leader,
    isr,
    leaderEpoch: current.leaderEpoch + 1,
    controllerEpoch,
  };
}

/** The first state of a partition: the first online replica leads, all online ones are in sync. null if none is online. */
export function initialState(onlineReplicas: readonly number[], controllerEpoch: number): LeaderAndIsr | null {
  const leader = onlineReplicas[0];
  if (leader === undefined) return null;
  return { leader, leaderEpoch: 0, isr: onlineReplicas, controllerEpoch, partitionEpoch: 0, recovering: false };
}
