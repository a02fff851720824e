import type { Clock } from '../../shared/runtime/clock.ts';

/** What the controller is busy with; the number is what Kafka's ControllerState metric shows. */
export const CONTROLLER_STATES = {
  Idle: 0,
  ControllerChange: 1,
  BrokerChange: 2,
  TopicChange: 3,
  TopicDeletion: 4,
  AlterPartitionReassignment: 5,
  AutoLeaderBalance: 6,
  ManualLeaderBalance: 7,
  ControlledShutdown: 8,
  IsrChange: 9,
  LeaderAndIsrResponseReceived: 10,
  LogDirChange: 11,
  ControllerShutdown: 12,
  UncleanLeaderElectionEnable: 13,
  TopicUncleanLeaderElectionEnable: 14,
  ListPartitionReassignment: 16,
} as const;

export type ControllerState = keyof typeof CONTROLLER_STATES;

/** Something that has happened. Exactly one of `process` and `preempt` is called, once. */
export interface ControllerEvent {
  readonly state: ControllerState;
  /** Reacts. The next event waits until this has settled; what it rejects with is handed to the queue's owner. */
  process(): Promise<void>;
  /** Called instead when the queue was emptied first: whoever waits for the event must be told. */
  preempt?(): void;
}

/** Told of every event that was processed, for metrics. Times in milliseconds. */
export interface EventObserver {
  eventProcessed(state: ControllerState, queueMs: number, processMs: number): void;
}

interface Queued {
  readonly event: ControllerEvent;
  readonly sinceMs: number;
}

/**
 * The controller's one queue: whatever happens is put here and dealt with one at a time, in order, so that no decision
 * is made on half of another's state (Kafka: `ControllerEventManager`).
 */
export class EventQueue {
  readonly #clock: Clock;
  readonly #observer: EventObserver | undefined;
  readonly #onError: (error: unknown, event: ControllerEvent) => Promise<void>;
  #queue: Queued[] = [];
  #current: ControllerState = 'Idle';
  #running = false;
  #closed = false;

  /** @param parts.onError is awaited before the next event; must not reject */
  constructor(parts: {
    clock: Clock;
    observer?: EventObserver | undefined;
    onError: (error: unknown, event: ControllerEvent) => Promise<void>;
  }) {
    this.#clock = parts.clock;
    this.#observer = parts.observer;
    this.#onError = parts.onError;
  }

  get size(): number {
    return this.#queue.length;
  }

  /** What is being processed, 'Idle' if nothing is. */
  get state(): ControllerState {
    return this.#current;
  }

  /** Adds an event at the end; preempts it at once if the queue is closed. */
  put(event: ControllerEvent): void {
    if (this.#closed) {
      event.preempt?.();
      return;
    }
    this.#queue.push({ event, sinceMs: this.#clock.monotonic() });
    if (!this.#running) void this.#run();
  }

  /** Preempts all events that wait and puts this one in their place. What is being processed goes on to its end. */
  clearAndPut(event: ControllerEvent): void {
    const preempted = this.#queue;
    this.#queue = [];
    this.put(event);
    for (const { event: old } of preempted) old.preempt?.();
  }

  /** From now on everything that is put is preempted; what waits is still processed. */
  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { event, sinceMs } = next;
      const startMs = this.#clock.monotonic();
      this.#current = event.state;
      try {
        await event.process();
      } catch (error) {
        await this.#onError(error, event);
      }
      this.#current = 'Idle';
      this.#observer?.eventProcessed(event.state, startMs - sinceMs, this.#clock.monotonic() - startMs);
    }
    this.#running = false;
  }
}
