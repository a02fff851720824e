import type { Random } from '../runtime/random.ts';

/** A broker that may get replicas. */
export interface CandidateBroker {
  readonly id: number;
  /** null when the broker names no rack. */
  readonly rack: string | null;
}

/** Replicas of each partition, first the preferred leader. */
export type Assignment = Map<number, readonly number[]>;

/** An assignment that cannot be made; `kind` is the name of the protocol's error. */
export class AssignmentError extends Error {
  override readonly name = 'AssignmentError';
  readonly kind: 'INVALID_PARTITIONS' | 'INVALID_REPLICATION_FACTOR';

  constructor(kind: AssignmentError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/**
 * Where the round robin begins: `leader` is an index into the list of brokers, `shift` the distance from the leader to
 * its first follower. The shift grows each time the leaders have gone once around, so that the followers of one
 * broker's partitions are spread over all the others.
 */
interface Start {
  readonly leader: number;
  readonly shift: number;
}

/** More partitions of one topic than a node of ZooKeeper could hold, even one larger than it allows by default. */
const MOST_PARTITIONS = 100_000;

function checkPartitions(partitions: number): void {
  if (partitions > 0 && partitions <= MOST_PARTITIONS) return;
  throw new AssignmentError(
    'INVALID_PARTITIONS',
    `The number of partitions must be larger than 0 and at most ${MOST_PARTITIONS}, not ${partitions}.`,
  );
}

/**
 * Assigns replicas to the partitions 0..partitions-1 of a new topic (Kafka: `AdminUtils.assignReplicasToBrokers`).
 * As soon as any broker has a rack, replicas of a partition go to different racks while there are any left.
 * @throws AssignmentError when there are too few brokers, the numbers make no sense, or only some brokers have a rack
 */
export function assignReplicas(
  brokers: readonly CandidateBroker[],
  partitions: number,
  replicationFactor: number,
  random: Random,
): Assignment {
  checkPartitions(partitions);
  checkReplicationFactor(replicationFactor, brokers.length);
  const start = { leader: random.int(brokers.length), shift: random.int(brokers.length) };
  return assign(brokers, 0, partitions, replicationFactor, start);
}

/**
 * Assigns replicas to the partitions current..total-1 of a topic that grows. Leaders go on where the round robin that
 * began with `firstReplicas` (those of partition 0) would be; their number is the replication factor.
 * @throws AssignmentError as `assignReplicas`
 */
export function assignAddedReplicas(
  brokers: readonly CandidateBroker[],
  firstReplicas: readonly number[],
  current: number,
  total: number,
  random: Random,
): Assignment {
  if (total <= current) {
    throw new AssignmentError('INVALID_PARTITIONS', `${total} partitions are not more than the present ${current}.`);
  }
  checkPartitions(total);
  checkReplicationFactor(firstReplicas.length, brokers.length);
  // The leader of partition 0 may be gone: then the next higher broker stands in, as in Kafka, or any if it was the last.
  const ids = brokers.map(broker => broker.id).sort((a, b) => a - b);
  const next = ids.findIndex(id => id >= (firstReplicas[0] ?? 0));
  const start = next === -1 ? random.int(ids.length) : next;
  return assign(brokers, current, total - current, firstReplicas.length, { leader: start, shift: start });
}

function checkReplicationFactor(replicationFactor: number, brokers: number): void {
  if (replicationFactor <= 0) {
    throw new AssignmentError(
      'INVALID_REPLICATION_FACTOR',
      `The replication factor must be larger than 0, not ${replicationFactor}.`,
    );
  }
  if (replicationFactor > brokers) {
    throw new AssignmentError(
      'INVALID_REPLICATION_FACTOR',
      `Replication factor: ${replicationFactor} larger than available brokers: ${brokers}.`,
    );
  }
}

function assign(
  brokers: readonly CandidateBroker[],
  firstPartition: number,
  count: number,
  replicationFactor: number,
  start: Start,
): Assignment {
  const place = brokers.some(broker => broker.rack !== null) ? rackAwarePlacement(brokers) : plainPlacement(brokers);
  const assignment: Assignment = new Map();
  let { shift } = start;
  for (let partition = firstPartition; partition < firstPartition + count; partition++) {
    if (partition > 0 && partition % brokers.length === 0) shift++;
    assignment.set(partition, place((partition + start.leader) % brokers.length, shift, replicationFactor));
  }
  return assignment;
}

/** Chooses the replicas of one partition, given the index of its leader and the present shift. */
type Placement = (leader: number, shift: number, replicationFactor: number) => number[];

/** Index of the `step`-th follower: goes round all indexes but the leader's, beginning `shift` behind it. */
function followerIndex(leader: number, shift: number, step: number, brokers: number): number {
  return (leader + 1 + ((shift + step) % (brokers - 1))) % brokers;
}

function plainPlacement(brokers: readonly CandidateBroker[]): Placement {
  const ids = brokers.map(broker => broker.id).sort((a, b) => a - b);
  return (leader, shift, replicationFactor) => {
    const replicas = [ids[leader]!];
    for (let step = 0; step < replicationFactor - 1; step++) {
      replicas.push(ids[followerIndex(leader, shift, step, ids.length)]!);
    }
    return replicas;
  };
}

/**
 * Followers step along the interleaved list; a broker is passed over while its rack has a replica and another rack has
 * none, or while it has one itself and another broker has none.
 */
function rackAwarePlacement(brokers: readonly CandidateBroker[]): Placement {
  const racks = brokersByRack(brokers);
  const ids = interleave(racks);
  const rackOf = new Map([...racks].flatMap(([rack, members]) => members.map(id => [id, rack] as const)));
  return (leader, shift, replicationFactor) => {
    const replicas = [ids[leader]!];
    const usedRacks = new Set([rackOf.get(ids[leader]!)]);
    for (let step = 0; replicas.length < replicationFactor; step++) {
      const id = ids[followerIndex(leader, shift * racks.size, step, ids.length)]!;
      const rackTaken = usedRacks.has(rackOf.get(id)) && usedRacks.size < racks.size;
      const brokerTaken = replicas.includes(id) && replicas.length < ids.length;
      if (rackTaken || brokerTaken) continue;
      replicas.push(id);
      usedRacks.add(rackOf.get(id));
    }
    return replicas;
  };
}

/** Ids by rack: racks in the order of their names, ids ascending in each. */
function brokersByRack(brokers: readonly CandidateBroker[]): Map<string, number[]> {
  const racks = new Map<string, number[]>();
  for (const { id, rack } of brokers) {
    if (rack === null) {
      throw new AssignmentError(
        'INVALID_REPLICATION_FACTOR',
        `Not all brokers have rack information for replica rack aware assignment: broker ${id} has none.`,
      );
    }
    const members = racks.get(rack);
    if (members === undefined) racks.set(rack, [id]);
    else members.push(id);
  }
  for (const members of racks.values()) members.sort((a, b) => a - b);
  return new Map([...racks].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One broker of each rack in turn: r1 = 0,1 and r2 = 2,3 become 0,2,1,3. */
function interleave(racks: ReadonlyMap<string, readonly number[]>): number[] {
  const depth = Math.max(...[...racks.values()].map(members => members.length));
  const rounds = Array.from({ length: depth }, (_, round) => [...racks.values()].map(members => members[round]));
  return rounds.flat().filter(id => id !== undefined);
}
