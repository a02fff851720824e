import { ErrorCode } from '../../shared/protocol/errors.ts';

/** From this version of AddPartitionsToTxn, AddOffsetsToTxn and EndTxn on clients know PRODUCER_FENCED (KIP-588). */
export const FIRST_WITH_FENCED = 2;

/** Old clients handle only INVALID_PRODUCER_EPOCH, which means the same to them. */
export function fencingCode(errorCode: ErrorCode, knowsFenced: boolean): ErrorCode {
  return errorCode === ErrorCode.PRODUCER_FENCED && !knowsFenced ? ErrorCode.INVALID_PRODUCER_EPOCH : errorCode;
}
