import { ErrorCode } from '../../shared/protocol/errors.ts';
import { AdminError } from './admin-error.ts';

function invalid(message: string): AdminError {
  return new AdminError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
}

/**
 * Checks a replica assignment that a person gave: partitions 0..n-1 without a gap (or `first`..), every list non-empty,
 * of one length, without duplicates.
 * @throws AdminError INVALID_REPLICA_ASSIGNMENT
 */
export function checkManualAssignment(
  assignment: ReadonlyMap<number, readonly number[]>,
  first = 0,
  replicationFactor?: number,
): void {
  let length = replicationFactor;
  for (let partition = first; partition < first + assignment.size; partition++) {
    const replicas = assignment.get(partition);
    if (replicas === undefined) {
      throw invalid(`Partitions must be numbered ${first} to ${first + assignment.size - 1}; ${partition} is missing.`);
    }
    if (replicas.length === 0) throw invalid(`Partition ${partition} has no replicas; it needs at least one.`);
    length ??= replicas.length;
    if (replicas.length !== length) {
      throw invalid(
        `Partition ${partition} has ${replicas.length} replicas where the others have ${length}; all need the same number.`,
      );
    }
    if (new Set(replicas).size !== replicas.length) {
      throw invalid(`Partition ${partition} names a broker twice: ${replicas.join(',')}.`);
    }
    const negative = replicas.find(id => id < 0);
    if (negative !== undefined) throw invalid(`Partition ${partition} names the broker ${negative}; ids begin with 0.`);
  }
}

/** @throws AdminError INVALID_REPLICA_ASSIGNMENT when a list names a broker that is not alive */
export function checkBrokersAlive(
  assignment: ReadonlyMap<number, readonly number[]>,
  aliveIds: ReadonlySet<number>,
): void {
  for (const [partition, replicas] of assignment) {
    const dead = replicas.filter(id => !aliveIds.has(id));
    if (dead.length === 0) continue;
    throw invalid(
      `Partition ${partition} names brokers that are not alive: ${dead.join(',')}; alive are ${[...aliveIds].join(',')}.`,
    );
  }
}
