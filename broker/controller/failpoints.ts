/**
 * Places where a controller may be stopped by a test, to see that its successor goes on from there: before and after
 * every write to ZooKeeper, and before every kind of request. In production nobody listens.
 */
export const FAILPOINTS = [
  'controller-election.before-claim',
  'controller-election.after-claim',
  'failover.before-feature',
  'failover.after-feature',
  'failover.after-notifications-removed',
  'failover.after-load',
  'failover.after-broker-list-sent',
  'failover.after-replica-startup',
  'failover.after-partition-startup',
  'topic-id.before-write',
  'topic-id.after-write',
  'partition-creation.before-write',
  'partition-creation.after-write',
  'leader-election.before-write',
  'leader-election.after-write',
  'isr-shrink.before-write',
  'isr-shrink.after-write',
  'alter-partition.before-write',
  'alter-partition.after-write',
  'partition-addition.before-revert',
  'partition-addition.after-revert',
  'topic-deletion.before-start',
  'topic-deletion.before-replicas',
  'topic-deletion.before-topic-removal',
  'topic-deletion.after-topic-removal',
  'topic-deletion.after-config-removal',
  'topic-deletion.after-mark-removal',
  'reassignment.before-start-write',
  'reassignment.after-start-write',
  'reassignment.before-epoch-write',
  'reassignment.after-epoch-write',
  'reassignment.before-replicas-stopped',
  'reassignment.before-end-write',
  'reassignment.after-end-write',
  'reassignment.after-request-removal',
  'send.leader-and-isr',
  'send.update-metadata',
  'send.stop-replica',
  'resignation.before-controller-removal',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

/** Told when the controller comes by one of the places; what it does there is its own affair. */
export interface Failpoints {
  hit(name: Failpoint): Promise<void> | void;
}
