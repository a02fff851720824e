import type { Connector } from '../../shared/connection/connection.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Timer, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { ControllerEpoch, ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import type { WatchEvent } from '../../shared/zookeeper/zookeeper.ts';
import { BrokerChannels, type ResponseListener } from './broker-channels.ts';
import { brokersChanged, checkBroker } from './broker-changes.ts';
import { ControllerContext, type PartitionReplica } from './context.ts';
import { ControlRequests } from './control-requests.ts';
import type { ControllerState } from './event-queue.ts';
import type { Failpoints } from './failpoints.ts';
import { takeOffice } from './failover.ts';
import { isrsChanged } from './isr-changes.ts';
import { LeadershipWriter } from './leadership-writer.ts';
import { isNewsOfLogDirs, leaderAndIsrAnswered, logDirsFailed } from './log-dir-changes.ts';
import type { ControllerSettings, Office, OfficeWatchers } from './office.ts';
import { PartitionStates } from './partition-states.ts';
import { preferredElectionRequested, rebalanceLeaders } from './preferred-election.ts';
import { reassignmentsRequested } from './reassignment-requests.ts';
import { ReplicaStates } from './replica-states.ts';
import { RequestBatch, type StopReplicaRequest } from './request-batch.ts';
import { assignmentChanged, topicsChanged } from './topic-changes.ts';
import { TopicDeletion } from './topic-deletion.ts';
import { UncleanElection } from './unclean-election.ts';

/** First check of leadership after an election, milliseconds: brokers shall have taken up their partitions. */
const FIRST_REBALANCE_DELAY_MS = 5000;

export interface TermSettings extends ControllerSettings {
  /** Listener by which brokers reach each other. */
  readonly interBrokerListener: string;
  /** Listener on which they take the controller's requests. */
  readonly controlListener: string;
  readonly requestTimeoutMs: number;
  /** null when leadership is not to be given back by itself. */
  readonly rebalanceIntervalMs: number | null;
}

export interface TermParts {
  readonly brokerId: number;
  readonly controller: ControllerEpoch;
  readonly store: ZooKeeperStore;
  readonly connector: Connector;
  readonly settings: TermSettings;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly failpoints?: Failpoints | undefined;
  readonly onUncleanElections?: ((count: number) => void) | undefined;
  /** Puts an event into the queue; not called any more once the term is over. */
  enqueue(state: ControllerState, process: () => Promise<void>): void;
}

/**
 * One term of office: everything that a broker has only while it is the controller. It ends as a whole, and what comes
 * late (a watch, an answer, a timer) finds it closed; the next term starts from ZooKeeper with empty hands.
 */
export class Term {
  readonly office: Office;
  readonly #parts: TermParts;
  #rebalance: Timer | null = null;
  #closed = false;

  constructor(parts: TermParts) {
    this.#parts = parts;
    this.office = this.#open();
  }

  /** @throws whatever keeps the controller from knowing the cluster: it must not stay in office then */
  async begin(): Promise<void> {
    await takeOffice(this.office);
    this.#scheduleRebalance(FIRST_REBALANCE_DELAY_MS);
  }

  /** Ends the term at once; nothing is written or sent any more. */
  close(): void {
    this.#closed = true;
    this.#rebalance?.cancel();
    this.office.channels.closeAll();
  }

  #enqueue(state: ControllerState, process: () => Promise<void>): void {
    if (this.#closed) return;
    this.#parts.enqueue(state, async () => {
      if (!this.#closed) await process();
    });
  }

  #open(): Office {
    const { brokerId, controller, store, settings, logger, random, failpoints, onUncleanElections } = this.#parts;
    const context = new ControllerContext();
    const channels = this.#openChannels();
    const batch = new RequestBatch({ brokerId, epoch: controller.epoch }, context, settings.interBrokerListener);
    const requests = new ControlRequests({ context, batch, send: request => channels.send(request), failpoints });
    const writer = new LeadershipWriter(store, controller, failpoints);
    const unclean = new UncleanElection(store, settings.isUncleanElectionEnabled, logger);
    const common = { context, requests, writer, store, logger, failpoints };
    const partitions = new PartitionStates({ ...common, controller, unclean, onUncleanElections });
    const replicas = new ReplicaStates({ ...common, epoch: controller.epoch });
    const isEnabled = settings.isTopicDeletionEnabled;
    const deletion = new TopicDeletion({ ...common, fence: controller, partitions, replicas, isEnabled });
    const watchers = this.#watchers();
    const enqueue: Office['enqueue'] = (state, react) => this.#enqueue(state, () => react(this.office));
    return { ...common, controller, channels, partitions, replicas, deletion, watchers, settings, random, enqueue };
  }

  #openChannels(): BrokerChannels {
    const { connector, timers, logger, settings } = this.#parts;
    return new BrokerChannels({
      connector,
      timers,
      logger,
      listenerName: settings.controlListener,
      requestTimeoutMs: settings.requestTimeoutMs,
      listener: this.#responseListener(),
    });
  }

  #watchers(): OfficeWatchers {
    const on = (state: ControllerState, react: (office: Office, event: WatchEvent) => Promise<void>) => {
      return (event: WatchEvent) => this.#enqueue(state, () => react(this.office, event));
    };
    return {
      brokers: on('BrokerChange', brokersChanged),
      broker: on('BrokerChange', async (office, event) => {
        if (event.type === 'dataChanged') await checkBroker(office, Number(lastName(event)));
      }),
      topics: on('TopicChange', topicsChanged),
      topic: on('TopicChange', async (office, event) => {
        if (event.type === 'dataChanged') await assignmentChanged(office, lastName(event));
      }),
      deletions: on('TopicDeletion', async ({ deletion, store, watchers }) =>
        deletion.marksChanged(await store.deletions.list(watchers.deletions)),
      ),
      isrChanges: on('IsrChange', isrsChanged),
      logDirEvents: on('LogDirChange', logDirsFailed),
      preferredElection: on('ManualLeaderBalance', preferredElectionRequested),
      reassignments: on('AlterPartitionReassignment', reassignmentsRequested),
    };
  }

  #responseListener(): ResponseListener {
    return {
      leaderAndIsrAnswered: (broker, response) => {
        if (response.errorCode !== ErrorCode.NONE) {
          this.#parts.logger.warn({ broker, errorCode: response.errorCode }, 'a broker refused LeaderAndIsr');
        }
        if (!isNewsOfLogDirs(this.office, broker, response)) return;
        this.#enqueue('LeaderAndIsrResponseReceived', () => leaderAndIsrAnswered(this.office, broker, response));
      },
      stopReplicaAnswered: (broker, request, { errorCode, partitionErrors }) => {
        const failed = new Set(
          partitionErrors
            .filter(entry => entry.errorCode !== ErrorCode.NONE)
            .map(entry => partitionKey(entry.topicName, entry.partitionIndex)),
        );
        const isDeleted = ({ partition }: PartitionReplica) =>
          errorCode === ErrorCode.NONE && !failed.has(partition.key);
        this.#replicasAnswered(broker, request, isDeleted);
      },
    };
  }

  /** Only what was to be deleted matters. */
  #replicasAnswered(
    broker: number,
    request: StopReplicaRequest,
    isDeleted: (replica: PartitionReplica) => boolean,
  ): void {
    const asked = deletedPartitions(request);
    if (asked.length === 0) return;
    this.#enqueue('TopicDeletion', async () => {
      const { context, deletion } = this.office;
      const replicas = asked.flatMap(({ topic, partition }) => {
        const found = context.partition(topic, partition);
        return found === undefined ? [] : [{ partition: found, broker }];
      });
      await deletion.replicasFailed(replicas.filter(replica => !isDeleted(replica)));
      await deletion.replicasDeleted(replicas.filter(isDeleted));
    });
  }

  #scheduleRebalance(delayMs: number): void {
    const { rebalanceIntervalMs } = this.#parts.settings;
    if (rebalanceIntervalMs === null || this.#closed) return;
    this.#rebalance = this.#parts.timers.after(delayMs, () =>
      this.#enqueue('AutoLeaderBalance', async () => {
        try {
          await rebalanceLeaders(this.office);
        } finally {
          this.#scheduleRebalance(rebalanceIntervalMs);
        }
      }),
    );
  }
}

function lastName({ path }: WatchEvent): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function deletedPartitions({ topicStates = [] }: StopReplicaRequest): { topic: string; partition: number }[] {
  return topicStates.flatMap(({ topicName, partitionStates }) =>
    partitionStates
      .filter(({ deletePartition }) => deletePartition)
      .map(({ partitionIndex }) => ({ topic: topicName, partition: partitionIndex })),
  );
}
