import type { Connector } from '../../shared/connection/connection.ts';
import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { AllocateProducerIds } from '../../shared/protocol/messages/allocate-producer-ids.ts';
import type { AlterPartition } from '../../shared/protocol/messages/alter-partition.ts';
import type { ControlledShutdown } from '../../shared/protocol/messages/controlled-shutdown.ts';
import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { Random } from '../../shared/runtime/random.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import { ControllerMovedError, type ControllerEpoch, type ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import { isZooKeeperError, type WatchEvent } from '../../shared/zookeeper/zookeeper.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { controlledShutdown, controlledShutdownError } from './controlled-shutdown.ts';
import { UnsentRequestsError } from './control-requests.ts';
import { CONTROLLER_STATES, EventQueue, type ControllerState, type EventObserver } from './event-queue.ts';
import type { Failpoints } from './failpoints.ts';
import { countGauges, NO_GAUGES, type ControllerGauges } from './gauges.ts';
import { alterPartition, alterPartitionError } from './isr-changes.ts';
import type { Office } from './office.ts';
import { electLeaders, type ElectionResult, type ElectionType } from './preferred-election.ts';
import { allocateProducerIds, allocateProducerIdsError } from './producer-ids.ts';
import {
  alterReassignments,
  ongoingReassignments,
  type OngoingReassignment,
  type ReassignmentOrder,
  type ReassignmentResult,
} from './reassignment-requests.ts';
import { Term, type TermSettings } from './term.ts';

export type { ElectionResult } from './preferred-election.ts';
export type { OngoingReassignment, ReassignmentOrder, ReassignmentResult } from './reassignment-requests.ts';

/** This broker is not, or is no longer, the controller. */
export class NotControllerError extends Error {
  override readonly name = 'NotControllerError';

  constructor() {
    super('this broker is not the active controller');
  }
}

/** Told what happens, for metrics. */
export interface ControllerObserver extends EventObserver {
  uncleanElections(count: number): void;
}

export interface ControllerParts {
  readonly brokerId: number;
  readonly store: ZooKeeperStore;
  /** For connections to brokers; its versions need not be negotiated. */
  readonly connector: Connector;
  readonly config: BrokerConfig;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly failpoints?: Failpoints;
  readonly observer?: ControllerObserver;
}

/** How long a shutdown waits for the event that is being processed, milliseconds. */
const SHUTDOWN_LIMIT_MS = 5000;

/** What the metrics page shows of the controller. */
export interface ControllerSnapshot extends ControllerGauges {
  readonly activeControllerCount: 0 | 1;
  /** Kafka's number of the state. */
  readonly controllerState: number;
  readonly eventQueueSize: number;
}

/**
 * The part of every broker that may be the controller of the cluster (Kafka: `KafkaController`). It watches
 * `/controller`, runs for office whenever that is free, and while it is in office (`Term`) reacts to what happens in
 * ZooKeeper and to requests. Everything goes through one queue.
 *
 *   start, `/controller` gone, new session ──► elect ──► won: Term ──► somebody else is, session expired: resign
 */
export class Controller {
  readonly #parts: ControllerParts;
  readonly #queue: EventQueue;
  #activeId: number | null = null;
  #term: Term | null = null;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    this.#queue = new EventQueue({
      clock: parts.clock,
      observer: parts.observer,
      onError: error => this.#failed(error),
    });
  }

  /** Whether this broker is the controller, as far as it knows. */
  get isActive(): boolean {
    return this.#term !== null && this.#activeId === this.#parts.brokerId;
  }

  /** The controller, as far as this broker knows; null while there is none. */
  get activeControllerId(): number | null {
    return this.#activeId;
  }

  /** Epoch of this broker's present term of office, null while it has none. */
  get epoch(): number | null {
    return this.#term?.office.controller.epoch ?? null;
  }

  /** Watches `/controller` and runs for office; resolves when it is clear who has it. */
  async startup(): Promise<void> {
    await this.#put('ControllerChange', () => this.#elect());
  }

  /**
   * Leaves office without a word: whoever ends the ZooKeeper session afterwards makes it free. Waits for what is being
   * done, but not for ever: without ZooKeeper it may never end.
   */
  async shutdown(): Promise<void> {
    const done = this.#leaveOffice('ControllerShutdown');
    this.#queue.close();
    const enough = new AbortController();
    const limit = this.#parts.timers.sleep(SHUTDOWN_LIMIT_MS, enough.signal).catch(() => undefined);
    await Promise.race([done, limit]);
    enough.abort();
  }

  /**
   * The ZooKeeper session is gone, and this broker's office with it: drops all that waits and resigns. Resolves when
   * what was being done has ended as well.
   */
  handleSessionExpired(): Promise<void> {
    return this.#leaveOffice('ControllerChange');
  }

  /** There is a new session, in which this broker is registered: runs for office again. */
  async handleNewSession(): Promise<void> {
    await this.#put('ControllerChange', async () => {
      await this.#checkActive();
      await this.#elect();
    });
  }

  /** Commits ISR changes of leaders. @param version of the request: it decides how topics are named */
  alterPartition(
    request: RequestOf<typeof AlterPartition>,
    version: number,
  ): Promise<ResponseInput<typeof AlterPartition>> {
    return this.#ask(
      'IsrChange',
      office => alterPartition(office, request, version),
      () => alterPartitionError(ErrorCode.NOT_CONTROLLER),
    );
  }

  /** Gives a broker a block of producer ids of its own. */
  allocateProducerIds(
    request: RequestOf<typeof AllocateProducerIds>,
  ): Promise<ResponseInput<typeof AllocateProducerIds>> {
    return this.#ask(
      'Idle',
      office => allocateProducerIds(office, request),
      () => allocateProducerIdsError(ErrorCode.NOT_CONTROLLER),
    );
  }

  /** A broker is about to stop: moves its leaderships away. */
  controlledShutdown(request: RequestOf<typeof ControlledShutdown>): Promise<ResponseInput<typeof ControlledShutdown>> {
    return this.#ask(
      'ControlledShutdown',
      office => controlledShutdown(office, request),
      () => controlledShutdownError(ErrorCode.STALE_CONTROLLER_EPOCH),
    );
  }

  /**
   * Elects leaders on request.
   * @param partitions null for all; then a broker that is not the controller rejects with NotControllerError
   */
  electLeaders(partitions: readonly TopicPartition[] | null, type: ElectionType): Promise<ElectionResult[]> {
    return this.#ask(
      'ManualLeaderBalance',
      office => electLeaders(office, partitions, type),
      () => (partitions === null ? Promise.reject(new NotControllerError()) : partitions.map(notController)),
    );
  }

  /** Begins, redirects and cancels reassignments; see `alterReassignments`. */
  alterReassignments(orders: readonly ReassignmentOrder[]): Promise<ReassignmentResult[]> {
    return this.#ask(
      'AlterPartitionReassignment',
      office => alterReassignments(office, orders),
      () => Promise.reject(new NotControllerError()),
    );
  }

  /** The reassignments under way. @param wanted null for all. Rejects with NotControllerError */
  ongoingReassignments(wanted: readonly TopicPartition[] | null): Promise<OngoingReassignment[]> {
    return this.#ask(
      'ListPartitionReassignment',
      office => Promise.resolve(ongoingReassignments(office, wanted)),
      () => Promise.reject(new NotControllerError()),
    );
  }

  /** Unclean elections have been allowed, for one topic or by default: offline partitions may find a leader now. */
  async uncleanLeaderElectionEnabled(topic?: string): Promise<void> {
    const state = topic === undefined ? 'UncleanLeaderElectionEnable' : 'TopicUncleanLeaderElectionEnable';
    await this.#ask(
      state,
      async ({ context, partitions }) => {
        const all = context.allPartitions();
        await partitions.triggerOnline(topic === undefined ? all : all.filter(partition => partition.topic === topic));
      },
      () => undefined,
    );
  }

  snapshot(): ControllerSnapshot {
    return {
      ...(this.#term === null ? NO_GAUGES : countGauges(this.#term.office.context)),
      activeControllerCount: this.isActive ? 1 : 0,
      controllerState: CONTROLLER_STATES[this.#queue.state],
      eventQueueSize: this.#queue.size,
    };
  }

  /** Puts an event; resolves when it has been processed, or preempted, however it went. */
  #put(state: ControllerState, process: () => Promise<void>): Promise<void> {
    return new Promise(resolve => {
      this.#queue.put({ state, process: () => process().finally(resolve), preempt: resolve });
    });
  }

  /**
   * Resigns at once, so that nobody takes this broker for the controller any more, and again when the event that is
   * being processed has ended: it may have been an election that was won.
   */
  #leaveOffice(state: ControllerState): Promise<void> {
    const leave = () => {
      this.#activeId = null;
      this.#resign();
    };
    leave();
    return new Promise(resolve => {
      const process = () => {
        leave();
        resolve();
        return Promise.resolve();
      };
      this.#queue.clearAndPut({ state, process, preempt: resolve });
    });
  }

  /** Puts a request; answers it by `refuse` if this broker is not in office, or leaves it before the request's turn. */
  #ask<T>(state: ControllerState, process: (office: Office) => Promise<T>, refuse: () => T | Promise<T>): Promise<T> {
    return new Promise(resolve => {
      const preempt = () => resolve(refuse());
      this.#queue.put({
        state,
        preempt,
        process: async () => {
          const office = this.#term?.office;
          if (office === undefined) {
            preempt();
            return;
          }
          try {
            resolve(await process(office));
          } catch (error) {
            // Whether it took effect is unknown: the caller asks whoever is the controller then.
            preempt();
            throw error;
          }
        },
      });
    });
  }

  // ── elections ──

  readonly #controllerChanged = (event: WatchEvent): void => {
    this.#queue.put({
      state: 'ControllerChange',
      process: async () => {
        await this.#checkActive();
        if (event.type === 'deleted') await this.#elect();
      },
    });
  };

  /** Looks who is the controller; leaves office if it is somebody else (Kafka: `maybeResign`). */
  async #checkActive(): Promise<void> {
    this.#activeId = await this.#parts.store.controller.activeId(this.#controllerChanged);
    if (!this.isActive) this.#resign();
  }

  async #elect(): Promise<void> {
    const { store, brokerId, clock, failpoints, logger } = this.#parts;
    // An election that a session's end fell into may have been won in the next one, and its outcome was dropped with all
    // that was under way: without this the office would be held in this broker's name, by nobody, for ever.
    if (this.#term === null) await store.controller.dropUnfilled(brokerId);
    this.#activeId = await store.controller.activeId(this.#controllerChanged);
    if (this.#activeId !== null) {
      logger.debug({ controller: this.#activeId }, `broker ${this.#activeId} is the controller`);
      return;
    }
    await failpoints?.hit('controller-election.before-claim');
    const won = await store.controller.elect(brokerId, clock.now());
    await failpoints?.hit('controller-election.after-claim');
    if (won === null) return this.#checkActive();
    logger.info({ epoch: won.epoch }, `this broker is the controller, epoch ${won.epoch}`);
    await this.#begin(won);
  }

  async #begin(controller: ControllerEpoch): Promise<void> {
    this.#resign();
    this.#activeId = this.#parts.brokerId;
    this.#term = new Term({
      ...this.#parts,
      controller,
      settings: termSettings(this.#parts.config),
      onUncleanElections: count => this.#parts.observer?.uncleanElections(count),
      enqueue: (state, process) => this.#queue.put({ state, process }),
    });
    try {
      await this.#term.begin();
    } catch (error) {
      if (error instanceof ControllerMovedError || isZooKeeperError(error, 'SESSION_EXPIRED', 'CLOSED')) throw error;
      this.#parts.logger.error({ err: error }, 'cannot take office as the controller; leaving it to others');
      await this.#giveUpOffice();
    }
  }

  /** Ends the term in this process. ZooKeeper is not touched. */
  #resign(): void {
    if (this.#term === null) return;
    this.#parts.logger.info({ epoch: this.epoch }, 'this broker is not the controller any more');
    this.#term.close();
    this.#term = null;
  }

  /** Leaves office so that somebody else, or this broker with a fresh start, takes it (Kafka: `triggerControllerMove`). */
  async #giveUpOffice(): Promise<void> {
    const term = this.#term;
    if (term === null) return;
    this.#activeId = null;
    this.#resign();
    await this.#parts.failpoints?.hit('resignation.before-controller-removal');
    await this.#parts.store.controller.resign(term.office.controller.epochZkVersion);
  }

  /** An event's processing broke off. */
  async #failed(error: unknown): Promise<void> {
    const { logger } = this.#parts;
    try {
      if (error instanceof ControllerMovedError) await this.#checkActive();
      else if (isZooKeeperError(error, 'SESSION_EXPIRED', 'CLOSED'))
        logger.info({ err: error }, 'an event was cut short');
      else {
        logger.error({ err: error }, 'an event of the controller failed');
        if (error instanceof UnsentRequestsError) await this.#giveUpOffice();
      }
    } catch (another) {
      logger.error({ err: another }, 'the controller could not deal with a failure');
    }
  }
}

function notController({ topic, partition }: TopicPartition): ElectionResult {
  const errorMessage = 'This broker is not the active controller.';
  return { topic, partition, errorCode: ErrorCode.NOT_CONTROLLER, errorMessage, leader: -1 };
}

function termSettings(config: BrokerConfig): TermSettings {
  const { interBroker } = config.listeners;
  const rebalances = config.get('auto.leader.rebalance.enable');
  return {
    interBrokerListener: interBroker,
    controlListener: config.get('control.plane.listener.name') ?? interBroker,
    requestTimeoutMs: config.get('request.timeout.ms'),
    rebalanceIntervalMs: rebalances ? config.get('leader.imbalance.check.interval.seconds') * 1000 : null,
    isTopicDeletionEnabled: () => config.get('delete.topic.enable'),
    isUncleanElectionEnabled: () => config.get('unclean.leader.election.enable'),
    imbalancePercentage: () => config.get('leader.imbalance.per.broker.percentage'),
  };
}
