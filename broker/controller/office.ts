import type { ResponseOf } from '../../shared/protocol/api.ts';
import type { LeaderAndIsr } from '../../shared/protocol/messages/leader-and-isr.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { Random } from '../../shared/runtime/random.ts';
import type { ControllerEpoch, ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import type { Watcher } from '../../shared/zookeeper/zookeeper.ts';
import type { BrokerChannels } from './broker-channels.ts';
import type { ControllerContext } from './context.ts';
import type { ControlRequests } from './control-requests.ts';
import type { ControllerState } from './event-queue.ts';
import type { Failpoints } from './failpoints.ts';
import type { LeadershipWriter } from './leadership-writer.ts';
import type { PartitionStates } from './partition-states.ts';
import type { ReplicaStates } from './replica-states.ts';
import type { TopicDeletion } from './topic-deletion.ts';

/** What the controller is told by its broker's configuration; asked for anew each time, as it may change. */
export interface ControllerSettings {
  readonly isTopicDeletionEnabled: () => boolean;
  readonly isUncleanElectionEnabled: () => boolean;
  /** Share of partitions, in percent, that a preferred leader may not lead before leadership is given back. */
  readonly imbalancePercentage: () => number;
}

/**
 * What is watched, and put into the queue as an event when it changes. Each is one function for a whole term: a node
 * read twice with the same watcher is watched once.
 */
export interface OfficeWatchers {
  readonly brokers: Watcher;
  readonly broker: Watcher;
  readonly topics: Watcher;
  readonly topic: Watcher;
  readonly deletions: Watcher;
  readonly isrChanges: Watcher;
  readonly logDirEvents: Watcher;
  readonly preferredElection: Watcher;
  readonly reassignments: Watcher;
}

/** The controller's office: what it works with for one term, from its election to its resignation. */
export interface Office {
  readonly controller: ControllerEpoch;
  readonly context: ControllerContext;
  readonly store: ZooKeeperStore;
  readonly channels: BrokerChannels;
  readonly requests: ControlRequests;
  readonly writer: LeadershipWriter;
  readonly partitions: PartitionStates;
  readonly replicas: ReplicaStates;
  readonly deletion: TopicDeletion;
  readonly watchers: OfficeWatchers;
  readonly settings: ControllerSettings;
  readonly random: Random;
  readonly logger: Logger;
  readonly failpoints?: Failpoints | undefined;
  /** Puts an event behind those that wait: for what follows from a request but must not hold its answer up. */
  readonly enqueue: (state: ControllerState, react: (office: Office) => Promise<void>) => void;
}

export type LeaderAndIsrResponse = ResponseOf<typeof LeaderAndIsr>;
