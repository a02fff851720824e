import type { ReplicaAssignment, WantedReplicas } from '../../shared/zookeeper/store.ts';
import { isBeingReassigned, replicaState, type ControlledPartition, type PartitionReplica } from './context.ts';
import { stateInNextEpoch } from './election.ts';
import type { Office } from './office.ts';
import {
  isTargetReady,
  originReplicas,
  sameAssignment,
  sameList,
  settledAssignment,
  targetReplicas,
} from './reassignment.ts';

/**
 * Takes a partition's reassignment as far as it can go now (Kafka: `onPartitionReassignment`). What has been done shows
 * in the topic's znode and in the ISR alone, so that it can be called again at any point, by a successor too:
 *
 *     topic znode: all replicas, adding, removing ─► new leader epoch for all, the new ones begin to follow
 *                                                                             │
 *        waits: ISR change (`reassignmentsMayEnd`), a target's broker starts,   │  the target is in sync
 *               a new controller                                              ▼
 *     topic znode: the target ◄─ old replicas stopped and deleted ◄─ leader from the target, or its next epoch
 */
export async function reassign(
  office: Office,
  partition: ControlledPartition,
  wanted: ReplicaAssignment,
): Promise<void> {
  await adopt(office, partition, wanted);
  // One that never had a leader finds one among the new replicas: there is nothing yet to copy.
  if (partition.leadership === null) await office.partitions.triggerOnline([partition]);
  if (isReady(office, partition)) await end(office, partition);
  else await begin(office, partition);
}

/** ISRs have changed: reassignments that only waited for that come to their end (Kafka: `maybeCompleteReassignment`). */
export async function reassignmentsMayEnd(office: Office, partitions: readonly ControlledPartition[]): Promise<void> {
  for (const partition of partitions) {
    const { topic, partition: number } = partition;
    const isKnown = office.context.partition(topic, number) === partition;
    if (isKnown && isBeingReassigned(partition) && isReady(office, partition)) await end(office, partition);
  }
}

/** Goes on with the reassignments under way that are `wanted` (Kafka: `maybeResumeReassignments`). */
export async function resumeReassignments(
  office: Office,
  wanted: (partition: ControlledPartition) => boolean,
): Promise<void> {
  const under = office.context.allPartitions().filter(partition => isBeingReassigned(partition) && wanted(partition));
  for (const partition of under) await reassign(office, partition, partition.assignment);
}

/** Those whose target has a replica on one of the brokers. */
export function aimsAt(brokers: readonly number[]): (partition: ControlledPartition) => boolean {
  return ({ assignment }) => targetReplicas(assignment).some(replica => brokers.includes(replica));
}

function isReady({ context }: Office, partition: ControlledPartition): boolean {
  return isTargetReady(partition.assignment, partition.leadership, id => context.isReplicaOnline(id, partition));
}

/** Writes down what is wanted; replicas that a former target had added are not needed any more. */
async function adopt(office: Office, partition: ControlledPartition, wanted: ReplicaAssignment): Promise<void> {
  const { assignment: before } = partition;
  if (sameAssignment(before, wanted)) return;
  office.logger.info(
    { topic: partition.topic, partition: partition.partition, ...wanted },
    `${partition.key} is to be on ${targetReplicas(wanted).join(',')}`,
  );
  await office.failpoints?.hit('reassignment.before-start-write');
  await writeAssignment(office, partition, wanted);
  await office.failpoints?.hit('reassignment.after-start-write');
  partition.assignment = wanted;
  await dropReplicas(
    office,
    partition,
    before.replicas.filter(replica => !wanted.replicas.includes(replica)),
  );
}

async function writeAssignment(
  { store, controller }: Office,
  { topic, partition }: ControlledPartition,
  assignment: ReplicaAssignment,
): Promise<void> {
  await store.topics.changeAssignment(topic, partition, assignment, controller);
}

/** Everybody learns of the replicas that are to come and go; those to come begin to follow. */
async function begin(office: Office, partition: ControlledPartition): Promise<void> {
  const { adding } = partition.assignment;
  await announce(office, partition, originReplicas(partition.assignment), adding);
  const added = replicasAt(partition, adding).filter(replica => replicaState(replica) === 'NonExistentReplica');
  await office.replicas.change(added, 'NewReplica');
}

/**
 * Raises the leader epoch and tells the replicas. Those that are just added are new: where their directory has failed,
 * they may be made in another one. Replicas that were there before must not.
 */
async function announce(
  { writer, requests, controller, logger }: Office,
  partition: ControlledPartition,
  known: readonly number[],
  added: readonly number[],
): Promise<void> {
  const { written, failed } = await writer.write(
    [partition],
    undecided => new Map(undecided.map(each => [each, stateInNextEpoch(each.leadership!, controller.epoch)])),
    { before: 'reassignment.before-epoch-write', after: 'reassignment.after-epoch-write' },
  );
  for (const error of failed.values()) logger.warn({ err: error }, `the leader epoch of ${partition.key} stays`);
  if (written.length === 0) return;
  const batch = requests.begin();
  batch.addLeaderAndIsr(known, partition, false);
  batch.addLeaderAndIsr(added, partition, true);
  await requests.flush();
}

async function end(office: Office, partition: ControlledPartition): Promise<void> {
  const { context, replicas, requests, deletion, failpoints, logger } = office;
  const { adding, removing } = partition.assignment;
  const target = targetReplicas(partition.assignment);
  await replicas.change(replicasAt(partition, adding), 'OnlineReplica');
  partition.assignment = settledAssignment(target);
  await moveLeader(office, partition);
  await failpoints?.hit('reassignment.before-replicas-stopped');
  await dropReplicas(office, partition, removing);
  await failpoints?.hit('reassignment.before-end-write');
  await writeAssignment(office, partition, partition.assignment);
  await failpoints?.hit('reassignment.after-end-write');
  await forgetRequests(office, wanted => isAbout(wanted, partition) && sameList(wanted.replicas, target));
  await failpoints?.hit('reassignment.after-request-removal');
  // The others had only heard of the change of leader.
  await requests.sendMetadataToAll([partition]);
  logger.info({ topic: partition.topic, partition: partition.partition }, `${partition.key} is on ${target.join(',')}`);
  if (context.isQueuedForDeletion(partition.topic)) await deletion.resume();
}

/** A leader that stays learns, in its next epoch, who its followers are now. */
async function moveLeader(office: Office, partition: ControlledPartition): Promise<void> {
  const { replicas } = partition.assignment;
  const leader = partition.leadership?.leader;
  const stays = leader !== undefined && replicas.includes(leader) && office.context.isReplicaOnline(leader, partition);
  if (stays) await announce(office, partition, replicas, []);
  else await office.partitions.change([partition], 'OnlinePartition', { kind: 'reassignment' });
}

/** Out of the ISR, stopped, deleted, forgotten: brokers that are away keep files that nobody will ask for. */
async function dropReplicas(
  { replicas }: Office,
  partition: ControlledPartition,
  brokers: readonly number[],
): Promise<void> {
  const dropped = replicasAt(partition, brokers);
  await replicas.change(dropped, 'OfflineReplica');
  await replicas.change(dropped, 'ReplicaDeletionStarted');
  await replicas.change(dropped, 'ReplicaDeletionSuccessful');
  await replicas.change(dropped, 'NonExistentReplica');
}

function replicasAt(partition: ControlledPartition, brokers: readonly number[]): PartitionReplica[] {
  return brokers.map(broker => ({ partition, broker }));
}

/** Takes what `isOver` out of `/admin/reassign_partitions`, where older tools look. */
export async function forgetRequests(
  { store, controller }: Office,
  isOver: (wanted: WantedReplicas) => boolean,
): Promise<void> {
  const requested = await store.reassignments.get();
  if (requested === null) return;
  const left = requested.filter(wanted => !isOver(wanted));
  if (left.length < requested.length || left.length === 0) await store.reassignments.keep(left, controller);
}

function isAbout(wanted: WantedReplicas, { topic, partition }: ControlledPartition): boolean {
  return wanted.topic === topic && wanted.partition === partition;
}
