import type { LeaderAndIsr, ReplicaAssignment } from '../../shared/zookeeper/store.ts';

/**
 * Where a partition's replicas are, and where they go (KIP-455; Kafka: `ReplicaAssignment`). While a reassignment is
 * under way `replicas` has all of them, the target first:
 *
 *     origin = replicas without adding           [1, 2]
 *     target = replicas without removing         [2, 3]
 *     replicas                                   [2, 3, 1], adding [3], removing [1]
 */
export function originReplicas({ replicas, adding }: ReplicaAssignment): number[] {
  return replicas.filter(replica => !adding.includes(replica));
}

export function targetReplicas({ replicas, removing }: ReplicaAssignment): number[] {
  return replicas.filter(replica => !removing.includes(replica));
}

/** The assignment on its way from where it began to `target`; a target that was aimed at before is given up. */
export function reassignTo(assignment: ReplicaAssignment, target: readonly number[]): ReplicaAssignment {
  const origin = originReplicas(assignment);
  const replicas = [...new Set([...target, ...origin])];
  return {
    replicas,
    adding: replicas.filter(replica => !origin.includes(replica)),
    removing: replicas.filter(replica => !target.includes(replica)),
  };
}

/** The assignment with nothing under way. */
export function settledAssignment(replicas: readonly number[]): ReplicaAssignment {
  return { replicas, adding: [], removing: [] };
}

export function sameAssignment(a: ReplicaAssignment, b: ReplicaAssignment): boolean {
  return sameList(a.replicas, b.replicas) && sameList(a.adding, b.adding) && sameList(a.removing, b.removing);
}

export function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** What is wrong with the form of a target; null = nothing. */
export function targetFormProblem(target: readonly number[]): string | null {
  if (target.length === 0) return 'The list of replicas is empty: a partition needs at least one.';
  if (new Set(target).size < target.length) {
    return `The list of replicas ${target.join(',')} names a broker more than once.`;
  }
  if (target.some(replica => replica < 0)) {
    return `The list of replicas ${target.join(',')} has a negative broker id.`;
  }
  return null;
}

/** What of the cluster decides about an assignment. */
export interface ReassignmentSituation {
  /** null for a partition that never had a leader. */
  readonly leadership: LeaderAndIsr | null;
  readonly isLive: (broker: number) => boolean;
}

/** Why the partition cannot be reassigned like this; null = it can. */
export function reassignmentProblem(
  wanted: ReplicaAssignment,
  { leadership, isLive }: ReassignmentSituation,
): string | null {
  if (!wanted.adding.every(isLive)) {
    return `Of the brokers to be added, ${wanted.adding.join(',')}, not all are alive.`;
  }
  return dropsAllRecords(wanted, leadership)
    ? `None of the replicas ${wanted.replicas.join(',')} is in sync: records would be lost.`
    : null;
}

/**
 * Whether nobody who has all committed records would be left. A reassignment that is cancelled, or given another
 * target, loses the replicas that it was adding at once, and those may be the only ones in sync by then. Kafka's
 * controller for ZooKeeper does not ask; the one for Raft refuses it.
 */
export function dropsAllRecords({ replicas }: ReplicaAssignment, leadership: LeaderAndIsr | null): boolean {
  return leadership !== null && !leadership.isr.some(replica => replicas.includes(replica));
}

/**
 * Whether the target is in sync, and one of it can lead, so that the others may go. An assignment with nothing to add
 * or to remove, as a new order of the replicas is, or the way back, has nothing to wait for.
 */
export function isTargetReady(
  assignment: ReplicaAssignment,
  leadership: LeaderAndIsr | null,
  isOnline: (broker: number) => boolean,
): boolean {
  if (assignment.adding.length === 0 && assignment.removing.length === 0) return true;
  const target = targetReplicas(assignment);
  return leadership !== null && target.every(replica => leadership.isr.includes(replica)) && target.some(isOnline);
}
