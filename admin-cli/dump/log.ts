import { readMessageSet } from '../../shared/records/message-set.ts';
import * as batch from '../../shared/records/batch.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import { batchLine, legacyRecordText, recordText, type RecordView } from '../format/dumped-batch.ts';
import type { LineOutput } from '../support/line-output.ts';
import type { DumpContext } from './context.ts';
import { LogFile, type LogBatch } from './log-batches.ts';

/** Dumps a `.log` file: a line a batch, and with `deep` one a record. */
export async function dumpLog(
  file: string,
  baseOffset: number,
  context: DumpContext,
  output: LineOutput,
): Promise<void> {
  output.line(`Log starting offset: ${baseOffset}`);
  const log = new LogFile(file, context.maxBytes);
  try {
    let validBytes = 0;
    const offsets = new OffsetOrder(file, context);
    for (const found of log.batches()) {
      output.line(batchLine(found.bytes, found.at, found.position));
      if (context.deep) dumpRecords(found, context, offsets, output);
      validBytes = found.position + found.size;
      await output.settle();
    }
    const rest = log.size - validBytes;
    if (rest > 0 && log.size < context.maxBytes)
      output.line(`Found ${rest} invalid bytes at the end of ${file.split('/').at(-1)!}`);
  } finally {
    log.close();
  }
}

/** Watches that each record's offset is the one before plus one: what compaction took shows here. */
class OffsetOrder {
  readonly #file: string;
  readonly #context: DumpContext;
  #last = -1;

  constructor(file: string, context: DumpContext) {
    this.#file = file;
    this.#context = context;
  }

  see(offset: number): void {
    if (this.#last !== -1 && offset !== this.#last + 1)
      this.#context.findings.notConsecutive(this.#file, this.#last, offset);
    this.#last = offset;
  }
}

function dumpRecords(found: LogBatch, context: DumpContext, offsets: OffsetOrder, output: LineOutput): void {
  const { bytes, at, size } = found;
  const isLegacy = batch.magic(bytes, at) < 2;
  const isControl = batch.isControl(bytes, at);
  for (const record of isLegacy ? readMessageSet(bytes.subarray(at, at + size)) : recordsOf(bytes, at)) {
    offsets.see(record.offset);
    const metadata = context.skipMetadata
      ? ''
      : isLegacy
        ? legacyRecordText(bytes, at, record)
        : recordText(bytes, at, record);
    const contents = context.contents && !isControl ? context.contentsOf(record) : '';
    output.line(`|${metadata}${contents}`);
  }
}

function* recordsOf(bytes: Buffer, at: number): Generator<RecordView, void, undefined> {
  const cursor = new RecordCursor().reset(bytes, at);
  while (cursor.next()) {
    yield {
      offset: cursor.offset,
      offsetDelta: cursor.offsetDelta,
      timestamp: cursor.timestamp,
      key: cursor.key(),
      value: cursor.value(),
      headerKeys: cursor.headers().map(header => header.key),
    };
  }
}
