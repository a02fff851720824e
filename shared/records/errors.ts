/**
 * What can be wrong with record bytes.
 *
 * - `CORRUPT`: the bytes are damaged: a CRC that does not match, a size that cannot be, a batch that is cut off.
 * - `INVALID`: the bytes arrived as they were sent, but what they say is not a record batch.
 * - `UNSUPPORTED_COMPRESSION`: a codec id that does not exist, one that the target format cannot carry, or a codec whose
 *   native code cannot be loaded.
 * - `TOO_LARGE`: decompressed, the records would exceed the limit given by the caller.
 */
export type RecordsErrorKind = 'CORRUPT' | 'INVALID' | 'UNSUPPORTED_COMPRESSION' | 'TOO_LARGE';

/** The one error of this room. The message is one sentence fit for a client or an operator. */
export class RecordsError extends Error {
  readonly kind: RecordsErrorKind;

  constructor(kind: RecordsErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RecordsError';
    this.kind = kind;
  }
}

/** The error for a stream of `codec` whose content exceeds `limit` bytes. */
export function tooLarge(codec: string, limit: number): RecordsError {
  return new RecordsError('TOO_LARGE', `The ${codec}-compressed records decompress to more than ${limit} bytes.`);
}

/** The error for a stream of `codec` that cannot be decoded, `why` being a clause. */
export function undecodable(codec: string, why: string, cause?: unknown): RecordsError {
  return new RecordsError('INVALID', `The ${codec}-compressed records cannot be decompressed: ${why}.`, { cause });
}
