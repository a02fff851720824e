import { PRODUCER_ID_BLOCK_PATH } from '../paths.ts';
import { asInteger, encodeJson, MalformedZnodeError, requireObject } from './json.ts';

/** Producer ids that one broker may give away, and nobody else. */
export interface ProducerIdBlock {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
}

/** The block claimed last, and who has it. */
export interface ClaimedProducerIds extends ProducerIdBlock {
  readonly broker: number;
}

/** The ids are text here, unlike everywhere else. */
export function encodeProducerIdBlock({ broker, first, last }: ClaimedProducerIds): Buffer {
  return encodeJson({ version: 1, broker, block_start: String(first), block_end: String(last) });
}

/** null when no block was claimed so far: the node is made without data. @throws MalformedZnodeError */
export function decodeProducerIdBlock(data: Buffer | null): ClaimedProducerIds | null {
  if (data === null || data.length === 0) return null;
  const { broker, block_start, block_end } = requireObject(PRODUCER_ID_BLOCK_PATH, data);
  const id = asInteger(broker);
  const [first, last] = [producerId(block_start), producerId(block_end)];
  if (id === null || first === null || last === null || last < first) {
    throw new MalformedZnodeError(PRODUCER_ID_BLOCK_PATH, 'expected broker, block_start and block_end');
  }
  return { broker: id, first, last };
}

function producerId(text: unknown): number | null {
  if (typeof text !== 'string' || !/^\d+$/.test(text)) return null;
  const id = Number(text);
  return Number.isSafeInteger(id) ? id : null;
}
