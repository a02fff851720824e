import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { ConsumerAssignment, ConsumerSubscription } from '../../../shared/protocol/log-records/consumer-protocol.ts';
import { decodeVersioned, encodeVersioned } from '../../../shared/protocol/log-records/versioned.ts';
import { JoinGroup } from '../../../shared/protocol/messages/join-group.ts';
import { SyncGroup } from '../../../shared/protocol/messages/sync-group.ts';
import type { ResponseOf } from '../../../shared/protocol/api.ts';
import type { TopicPartition } from '../../../shared/topics/topic-partition.ts';
import { KafkaError } from '../../errors.ts';
import type { Assignor, AssignorMember } from '../assignors/assignor.ts';
import type { CoordinatorLink } from '../../groups/coordinator-link.ts';
import { NO_GENERATION, type Generation } from './generation.ts';
import { byTopic, flatten } from './topic-partitions.ts';
import type { TopicShapes } from './topic-watch.ts';

const CONSUMER = 'consumer';
const SUBSCRIPTION_VERSION = 3;
const ASSIGNMENT_VERSION = 0;
/** The coordinator answers a join when everybody has joined or the rebalance timeout is over, give or take. */
const JOIN_GRACE_MS = 5_000;

export interface JoinSettings {
  readonly groupId: string;
  readonly instanceId: string | null;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** The preferred one first. */
  readonly assignors: readonly Assignor[];
  readonly clientRack: string;
}

/** What a member brings along when it joins. */
export interface Joining {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** What it still has: nothing, if it gives up everything before it joins. */
  readonly owned: readonly TopicPartition[];
  /** What it was given last, and in which generation. */
  readonly last: readonly TopicPartition[];
  readonly lastGeneration: number;
  readonly reason: string;
}

/** What came of it. */
export interface Joined {
  readonly generation: Generation;
  readonly partitions: readonly TopicPartition[];
  /** What the assignment is made of, if this member made it. */
  readonly led: TopicShapes | null;
}

export type LookAtTopics = (topics: readonly string[]) => Promise<TopicShapes>;

/**
 * One try to get into a group's next generation: JoinGroup, and SyncGroup with everybody's assignment from the one that
 * the coordinator has made the leader (Kafka: `AbstractCoordinator`).
 * @param onEntered is told the generation as soon as the coordinator has answered the JoinGroup; of id -1: only the member
 *   id, with which to join
 * @throws KafkaError with the coordinator's code; ConnectionError
 */
export async function join(
  link: CoordinatorLink,
  settings: JoinSettings,
  joining: Joining,
  lookAtTopics: LookAtTopics,
  onEntered: (generation: Generation) => void,
): Promise<Joined> {
  const { groupId, instanceId, assignors } = settings;
  const joined = await joinGroup(link, settings, joining, onEntered);
  const generation = { memberId: joined.memberId, id: joined.generationId, protocol: joined.protocolName! };
  onEntered(generation);
  const assignor = assignors.find(({ name }) => name === generation.protocol);
  if (assignor === undefined)
    throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, `the group has chosen ${generation.protocol}`);
  const isLeader = joined.leader === joined.memberId && !joined.skipAssignment;
  const led = isLeader ? await shareOut(assignor, joined, lookAtTopics) : null;
  const synced = await link.call(SyncGroup, {
    groupId,
    generationId: generation.id,
    memberId: generation.memberId,
    groupInstanceId: instanceId,
    protocolType: CONSUMER,
    protocolName: generation.protocol,
    assignments: led?.assignments ?? [],
  });
  throwIf(link, synced.errorCode);
  return { generation, partitions: partitionsOf(synced.assignment), led: led?.shapes ?? null };
}

async function joinGroup(
  link: CoordinatorLink,
  settings: JoinSettings,
  joining: Joining,
  onEntered: (generation: Generation) => void,
): Promise<ResponseOf<typeof JoinGroup>> {
  const { groupId, instanceId, sessionTimeoutMs, rebalanceTimeoutMs, assignors } = settings;
  const protocols = assignors.map(assignor => ({
    name: assignor.name,
    metadata: subscription(assignor, joining, settings),
  }));
  const ask = (memberId: string) =>
    link.call(
      JoinGroup,
      {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId,
        groupInstanceId: instanceId,
        protocolType: CONSUMER,
        protocols,
        reason: joining.reason,
      },
      { timeoutMs: rebalanceTimeoutMs + JOIN_GRACE_MS },
    );
  let answer = await ask(joining.memberId);
  // The coordinator keeps no place for members that do not come back with the id that it has given them (KIP-394).
  if (answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
    const { memberId } = answer;
    onEntered({ ...NO_GENERATION, memberId });
    answer = await ask(memberId);
  }
  throwIf(link, answer.errorCode);
  return answer;
}

function subscription(assignor: Assignor, joining: Joining, { clientRack }: JoinSettings): Buffer {
  const { topics, owned, last, lastGeneration } = joining;
  return encodeVersioned(
    ConsumerSubscription,
    {
      topics,
      userData: assignor.userData?.(last, lastGeneration) ?? null,
      ownedPartitions: byTopic(owned),
      generationId: lastGeneration,
      rackId: clientRack === '' ? null : clientRack,
    },
    SUBSCRIPTION_VERSION,
  );
}

async function shareOut(assignor: Assignor, joined: ResponseOf<typeof JoinGroup>, lookAtTopics: LookAtTopics) {
  const members = joined.members.map(({ memberId, groupInstanceId, metadata }): AssignorMember => {
    const { ownedPartitions, generationId, rackId, ...told } = decodeVersioned(ConsumerSubscription, metadata);
    const owned = flatten(ownedPartitions);
    const rack = rackId === '' ? null : rackId;
    return { memberId, instanceId: groupInstanceId, ...told, owned, generation: generationId, rackId: rack };
  });
  const shapes = await lookAtTopics([...new Set(members.flatMap(({ topics }) => topics))]);
  const assignments = [...assignor.assign(shapes.counts, members, shapes.racks)].map(([memberId, partitions]) => ({
    memberId,
    assignment: encodeVersioned(
      ConsumerAssignment,
      { assignedPartitions: byTopic(partitions), userData: null },
      ASSIGNMENT_VERSION,
    ),
  }));
  return { shapes, assignments };
}

/** A member that joined after the assignment was made gets none: empty bytes. */
function partitionsOf(assignment: Buffer): TopicPartition[] {
  return assignment.length === 0 ? [] : flatten(decodeVersioned(ConsumerAssignment, assignment).assignedPartitions);
}

function throwIf(link: CoordinatorLink, code: number): void {
  if (code === ErrorCode.NONE) return;
  link.note(code);
  throw new KafkaError(code);
}
