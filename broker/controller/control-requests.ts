import type { ControllerContext, ControlledPartition } from './context.ts';
import type { Failpoint, Failpoints } from './failpoints.ts';
import type { ControlRequest, RequestBatch } from './request-batch.ts';

/** A step began while another's requests had not been sent: the state in memory cannot be trusted any more. */
export class UnsentRequestsError extends Error {
  override readonly name = 'UnsentRequestsError';

  constructor() {
    super('requests of an earlier step were collected but never sent');
  }
}

const FAILPOINT_BY_KIND: Readonly<Record<ControlRequest['kind'], Failpoint>> = {
  leaderAndIsr: 'send.leader-and-isr',
  updateMetadata: 'send.update-metadata',
  stopReplica: 'send.stop-replica',
};

/** Where requests to brokers are collected for one step, and sent when it is done. */
export class ControlRequests {
  readonly #context: ControllerContext;
  readonly #batch: RequestBatch;
  readonly #send: (request: ControlRequest) => void;
  readonly #failpoints: Failpoints | undefined;

  constructor(parts: {
    context: ControllerContext;
    batch: RequestBatch;
    send: (request: ControlRequest) => void;
    failpoints?: Failpoints | undefined;
  }) {
    this.#context = parts.context;
    this.#batch = parts.batch;
    this.#send = parts.send;
    this.#failpoints = parts.failpoints;
  }

  /** @throws UnsentRequestsError when an earlier step broke off: its decisions were made, but nobody was told */
  begin(): RequestBatch {
    if (!this.#batch.isEmpty) throw new UnsentRequestsError();
    return this.#batch;
  }

  /** Hands what was collected to the channels, in the order of the kinds. */
  async flush(): Promise<void> {
    let last: ControlRequest['kind'] | null = null;
    for (const request of this.#batch.drain()) {
      if (request.kind !== last) await this.#failpoints?.hit(FAILPOINT_BY_KIND[request.kind]);
      last = request.kind;
      this.#send(request);
    }
  }

  /** Tells the brokers who is alive, and about the partitions. */
  async sendMetadata(brokers: readonly number[], partitions: readonly ControlledPartition[]): Promise<void> {
    this.begin().addUpdateMetadata(brokers, partitions);
    await this.flush();
  }

  /** Tells the brokers everything; what they know beyond it they forget. */
  async sendFullMetadata(brokers: readonly number[]): Promise<void> {
    this.begin().addFullMetadata(brokers);
    await this.flush();
  }

  /** Tells all brokers who is alive, and about the partitions. */
  async sendMetadataToAll(partitions: readonly ControlledPartition[]): Promise<void> {
    await this.sendMetadata(this.#context.liveOrShuttingDownIds(), partitions);
  }
}
