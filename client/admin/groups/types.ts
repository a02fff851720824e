import type { TopicPartition } from '../../../shared/topics/topic-partition.ts';
import type { BrokerInfo } from '../../cluster/cluster-view.ts';
import type { KafkaError } from '../../errors.ts';
import type { CommittedOffset } from '../../groups/committed-offsets.ts';

/** A group as it stands in a list. */
export interface GroupListing {
  readonly groupId: string;
  /** `consumer` for consumers; '' for a group that has offsets and has never had members. */
  readonly protocolType: string;
  /** Empty, PreparingRebalance, CompletingRebalance, Stable or Dead; '' when the broker did not say. */
  readonly state: string;
  /** `classic`, or another type that KIP-848 and later ones added; '' when the broker did not say. */
  readonly type: string;
}

export interface GroupDescription {
  readonly groupId: string;
  /** As in `GroupListing`; a group that does not exist is Dead. */
  readonly state: string;
  readonly protocolType: string;
  /** The assignor that the members have agreed on; '' in all states but Stable. */
  readonly protocol: string;
  readonly coordinator: BrokerInfo;
  readonly members: readonly GroupMember[];
}

export interface GroupMember {
  readonly memberId: string;
  /** Null for a dynamic member. */
  readonly instanceId: string | null;
  readonly clientId: string;
  /** With a leading slash, as Java writes addresses: `/127.0.0.1`. */
  readonly host: string;
  /** Its partitions; none before the group is stable, and of members that are no consumers. */
  readonly assignment: readonly TopicPartition[];
}

/** Where a group stands in a partition. */
export interface GroupOffset extends TopicPartition, CommittedOffset {}

/** A member as it is told to leave: a static one by its instance, a dynamic one by its id. */
export type MemberToRemove = { readonly memberId: string } | { readonly instanceId: string };

export interface RemovedMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  /** Why it is still there; null: it is gone. */
  readonly error: KafkaError | null;
}
