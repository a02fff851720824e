import { ErrorCode } from '../../shared/protocol/errors.ts';

/** The epochs that every request of a controller carries. */
export interface ControlRequest {
  readonly controllerId: number;
  readonly controllerEpoch: number;
  /** -1: the request's version does not have it. */
  readonly brokerEpoch: bigint;
}

const UNKNOWN_BROKER_EPOCH = -1n;

/**
 * Fences control requests: of a controller that has been replaced, and such as were meant for a former life of this
 * broker. LeaderAndIsr, StopReplica and UpdateMetadata share it, because a new controller may make itself known by any.
 */
export class ControllerEpochs {
  readonly #brokerEpoch: () => bigint;
  #controllerEpoch = -1;

  /** @param brokerEpoch the epoch under which this broker is registered */
  constructor(brokerEpoch: () => bigint) {
    this.#brokerEpoch = brokerEpoch;
  }

  /** The newest controller epoch heard of, -1 before the first. */
  get controllerEpoch(): number {
    return this.#controllerEpoch;
  }

  /**
   * NONE, STALE_BROKER_EPOCH or STALE_CONTROLLER_EPOCH. A broker epoch above ours is fine: after a registration the
   * controller may hear of the new epoch before we do.
   */
  check({ controllerEpoch, brokerEpoch }: ControlRequest): ErrorCode {
    if (brokerEpoch !== UNKNOWN_BROKER_EPOCH && brokerEpoch < this.#brokerEpoch()) return ErrorCode.STALE_BROKER_EPOCH;
    if (controllerEpoch < this.#controllerEpoch) return ErrorCode.STALE_CONTROLLER_EPOCH;
    this.#controllerEpoch = controllerEpoch;
    return ErrorCode.NONE;
  }
}
