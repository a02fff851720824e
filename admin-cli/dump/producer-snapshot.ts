import { readFileSync } from 'node:fs';
import { crc32c } from '../../shared/records/crc32c.ts';
import type { LineOutput } from '../support/line-output.ts';
import { ToolFailure } from '../support/tool.ts';

const VERSION = 1;
/** int16 version, uint32 CRC-32C of what follows, int32 count. */
const HEADER_BYTES = 10;
const CHECKED_FROM = 6;
/** int64 id, int16 epoch, int32 last sequence, int64 last offset, int32 offset delta, int64 timestamp, int32 coordinator epoch, int64 transaction's first offset. */
const ENTRY_BYTES = 46;

/** Dumps a `.snapshot`: what was known of each producer at the offset in its name. @throws ToolFailure for one that is damaged */
export function dumpProducerSnapshot(file: string, output: LineOutput): void {
  const content = readFileSync(file);
  if (content.length < HEADER_BYTES)
    throw new ToolFailure(`Snapshot file '${file}' is corrupt: it has only ${content.length} bytes.`);
  const version = content.readInt16BE(0);
  if (version !== VERSION) {
    throw new ToolFailure(`Snapshot contained an unknown file version ${version}: '${file}'`);
  }
  const [stored, computed] = [content.readUInt32BE(2), crc32c(content, CHECKED_FROM, content.length)];
  if (stored !== computed) {
    throw new ToolFailure(
      `Snapshot is corrupt (CRC is no longer valid). Stored crc: ${stored}, computed crc: ${computed}: '${file}'`,
    );
  }
  const count = content.readInt32BE(6);
  if (content.length !== HEADER_BYTES + count * ENTRY_BYTES) {
    throw new ToolFailure(
      `Snapshot file '${file}' is corrupt: ${count} producers do not take ${content.length} bytes.`,
    );
  }
  for (let index = 0; index < count; index++) output.line(producerText(content, HEADER_BYTES + index * ENTRY_BYTES));
}

function producerText(content: Buffer, at: number): string {
  const lastSequence = content.readInt32BE(at + 10);
  const lastOffset = content.readBigInt64BE(at + 14);
  const offsetDelta = content.readInt32BE(at + 22);
  const timestamp = content.readBigInt64BE(at + 26);
  const transactionStart = content.readBigInt64BE(at + 38);
  const head = [
    `producerId: ${content.readBigInt64BE(at)}`,
    `producerEpoch: ${content.readInt16BE(at + 8)}`,
    `coordinatorEpoch: ${content.readInt32BE(at + 34)}`,
    `currentTxnFirstOffset: ${transactionStart < 0n ? 'OptionalLong.empty' : `OptionalLong[${transactionStart}]`}`,
    `lastTimestamp: ${timestamp} `,
  ].join(' ');
  // Only markers were seen: there is no batch to tell of.
  if (lastOffset < 0n) return head;
  const firstSequence = (lastSequence - offsetDelta) & 0x7fff_ffff;
  return `${head}firstSequence: ${firstSequence} lastSequence: ${lastSequence} lastOffset: ${lastOffset} offsetDelta: ${offsetDelta} timestamp: ${timestamp}`;
}
