import type { ErrorCode } from '../../shared/protocol/errors.ts';

/** An admin request that cannot be carried out: the protocol error and one sentence for the person who asked. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
