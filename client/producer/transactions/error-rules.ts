import { ConnectionError } from '../../../shared/connection/connection.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { KafkaError } from '../../errors.ts';
import { hasMoved } from '../../groups/coordinator-errors.ts';

/** The requests of a transaction, and the appends of its records. */
export type Step =
  | 'InitProducerId'
  | 'AddPartitionsToTxn'
  | 'AddOffsetsToTxn'
  | 'TxnOffsetCommit'
  | 'EndTxn'
  | 'Produce';

/** What an error leaves to do: the same again, aborting the transaction, or closing the producer. */
export type Remedy = 'again' | 'abort' | 'close';

const {
  COORDINATOR_LOAD_IN_PROGRESS,
  CONCURRENT_TRANSACTIONS,
  REQUEST_TIMED_OUT,
  UNKNOWN_TOPIC_OR_PARTITION,
  NETWORK_EXCEPTION,
  PRODUCER_FENCED,
  INVALID_PRODUCER_EPOCH,
  INVALID_PRODUCER_ID_MAPPING,
  UNKNOWN_PRODUCER_ID,
  INVALID_TXN_STATE,
  TRANSACTION_ABORTABLE,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  CLUSTER_AUTHORIZATION_FAILED,
  GROUP_AUTHORIZATION_FAILED,
  UNSUPPORTED_VERSION,
  FENCED_INSTANCE_ID,
  UNKNOWN_MEMBER_ID,
  ILLEGAL_GENERATION,
} = ErrorCode;

interface Rules {
  readonly again: readonly number[];
  readonly abort: readonly number[];
  readonly close: readonly number[];
  /** What an error is that stands in none of the lists. */
  readonly otherwise: Remedy;
}

/** That the coordinator has moved or is loading is no step's own: the same again, there. */
const WAIT = [COORDINATOR_LOAD_IN_PROGRESS, CONCURRENT_TRANSACTIONS, NETWORK_EXCEPTION, REQUEST_TIMED_OUT];
/** The coordinator has forgotten the producer, which a new epoch mends. */
const FORGOTTEN = [UNKNOWN_PRODUCER_ID, INVALID_PRODUCER_ID_MAPPING];

/** Kafka: the handlers of `TransactionManager`, and its `maybeTransitionToErrorState` for records. */
const RULES: Readonly<Record<Step, Rules>> = {
  InitProducerId: { again: WAIT, abort: [TRANSACTION_ABORTABLE], close: [], otherwise: 'close' },
  AddPartitionsToTxn: {
    again: [...WAIT, UNKNOWN_TOPIC_OR_PARTITION],
    abort: [],
    close: [PRODUCER_FENCED, INVALID_PRODUCER_EPOCH, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, INVALID_TXN_STATE],
    otherwise: 'abort',
  },
  AddOffsetsToTxn: {
    again: WAIT,
    abort: [...FORGOTTEN, GROUP_AUTHORIZATION_FAILED, TRANSACTION_ABORTABLE],
    close: [],
    otherwise: 'close',
  },
  TxnOffsetCommit: {
    again: [...WAIT, UNKNOWN_TOPIC_OR_PARTITION],
    abort: [
      GROUP_AUTHORIZATION_FAILED,
      FENCED_INSTANCE_ID,
      UNKNOWN_MEMBER_ID,
      ILLEGAL_GENERATION,
      TRANSACTION_ABORTABLE,
    ],
    close: [],
    otherwise: 'close',
  },
  EndTxn: { again: WAIT, abort: [...FORGOTTEN, TRANSACTION_ABORTABLE], close: [], otherwise: 'close' },
  Produce: {
    again: [],
    abort: [],
    close: [
      PRODUCER_FENCED,
      TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
      CLUSTER_AUTHORIZATION_FAILED,
      UNSUPPORTED_VERSION,
      INVALID_PRODUCER_ID_MAPPING,
    ],
    otherwise: 'abort',
  },
};

/** What to do about an error code that a step was answered with. */
export function remedyFor(step: Step, code: number): Remedy {
  const rules = RULES[step];
  if (rules.again.includes(code) || (step !== 'Produce' && hasMoved(code))) return 'again';
  if (rules.abort.includes(code)) return 'abort';
  return rules.close.includes(code) ? 'close' : rules.otherwise;
}

/** An answer's code, or one for a step that was not answered. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof KafkaError) return error.code;
  if (!(error instanceof ConnectionError)) return ErrorCode.UNKNOWN_SERVER_ERROR;
  return error.code === 'UNSUPPORTED_VERSION' ? UNSUPPORTED_VERSION : NETWORK_EXCEPTION;
}

/**
 * A transaction has failed. `isFatal` false: abort it, and begin another one; true: close the producer, which another one
 * with its transactional id has fenced, perhaps.
 */
export class TransactionError extends KafkaError {
  readonly isFatal: boolean;

  constructor(code: number, message: string, isFatal: boolean) {
    super(code, message);
    this.isFatal = isFatal;
  }
}
