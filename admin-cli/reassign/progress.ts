import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from '../../client/index.ts';
import { sorted, type AssignedPartition, type ReassignmentState } from '../format/reassignment.ts';

/** How long a broker may take to hear of what the controller has completed. */
const PROPAGATION_MS = 3_000;
const RETRY_MS = 100;

export interface ReassignmentProgress {
  /** By topic, then by number. */
  readonly states: readonly ReassignmentState[];
  /** Whether no partition of the cluster is being reassigned. */
  readonly isIdle: boolean;
}

/**
 * How far the partitions are. The controller tells what is under way, and any broker where the replicas are: what this one
 * has not heard yet looks like a reassignment that came to nothing, so that is looked at again before it is believed.
 */
export async function reassignmentProgress(
  admin: Admin,
  wanted: readonly AssignedPartition[],
  patienceMs = PROPAGATION_MS,
): Promise<ReassignmentProgress> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const progress = await progressNow(admin, wanted);
    if (!progress.states.some(cameToNothing) || Date.now() >= deadline) return progress;
    await sleep(RETRY_MS);
  }
}

function cameToNothing({ isOver, current, target }: ReassignmentState): boolean {
  return isOver && current.length > 0 && current.join() !== target.join();
}

async function progressNow(admin: Admin, wanted: readonly AssignedPartition[]): Promise<ReassignmentProgress> {
  const ongoing = await admin.listPartitionReassignments();
  const topics = new Map((await admin.listTopics()).map(topic => [topic.name, topic]));
  const states = sorted(wanted).map(({ topic, partition, replicas }) => ({
    topic,
    partition,
    current: topics.get(topic)?.partitions.find(each => each.partition === partition)?.replicas ?? [],
    target: replicas,
    isOver: !ongoing.some(each => each.topic === topic && each.partition === partition),
  }));
  return { states, isIdle: ongoing.length === 0 };
}
