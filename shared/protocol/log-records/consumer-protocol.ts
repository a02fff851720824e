import { message } from '../message.ts';
import { array, bytes, int32, string } from '../schema.ts';

/*
 * What the members of a group of type `consumer` say to each other through JoinGroup and SyncGroup, which is bytes to the
 * coordinator (Kafka: `ConsumerProtocol`). Each begins with its version (`versioned.ts`).
 */

const partitionsOf = { topic: string(), partitions: array(int32()) };

/** What a member wants, and what it has; the owned partitions since version 1 (KIP-429), their generation since 2. */
export const ConsumerSubscription = message(
  { name: 'ConsumerProtocolSubscription', versions: { min: 0, max: 3 }, flexibleSince: null },
  {
    topics: array(string()),
    userData: bytes({ nullable: 0, default: null }),
    ownedPartitions: array(partitionsOf, { since: 1, ignorable: true }),
    generationId: int32({ since: 2, default: -1, ignorable: true }),
    rackId: string({ since: 3, nullable: 3, default: null, ignorable: true }),
  },
);

/** What a member gets. */
export const ConsumerAssignment = message(
  { name: 'ConsumerProtocolAssignment', versions: { min: 0, max: 3 }, flexibleSince: null },
  { assignedPartitions: array(partitionsOf), userData: bytes({ nullable: 0, default: null }) },
);
