import { errorByCode, ErrorCode } from '../shared/protocol/errors.ts';

/** What a broker answered, or what a client gave up with, as one of Kafka's errors. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  /** Kafka's numeric error code. */
  readonly code: ErrorCode;
  /** Whether trying the same again may succeed. */
  readonly retriable: boolean;
  /** Whether the error says that what is known of the cluster is out of date. */
  readonly refreshMetadata: boolean;

  constructor(code: number, message?: string | null) {
    const row = errorByCode(code);
    super(message ?? row.text);
    this.code = row.code;
    this.retriable = row.retriable;
    this.refreshMetadata = row.refreshMetadata;
  }

  /** Kafka's name of the error: `NOT_LEADER_OR_FOLLOWER`. */
  get codeName(): string {
    return errorByCode(this.code).name;
  }
}

/** A time limit of the client passed: nothing is known of what the broker did. */
export function timedOut(message: string): KafkaError {
  return new KafkaError(ErrorCode.REQUEST_TIMED_OUT, message);
}

/** Throws the KafkaError for a code other than NONE. */
export function throwIfError(code: number, message?: string | null): void {
  if (code !== ErrorCode.NONE) throw new KafkaError(code, message);
}
