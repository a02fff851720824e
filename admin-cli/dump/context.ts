import type { RecordView } from '../format/dumped-batch.ts';
import type { Findings } from './findings.ts';

/** What the options of kafka-dump-log amount to. */
export interface DumpContext {
  /** Show each record, not only each batch. */
  readonly deep: boolean;
  /** Show keys and values. */
  readonly contents: boolean;
  /** Leave out a record's offset, timestamp, sizes, …. */
  readonly skipMetadata: boolean;
  /** Key and value as they are shown, behind the record's metadata. */
  readonly contentsOf: (record: RecordView) => string;
  /** Look at no more than so many bytes of a log. */
  readonly maxBytes: number;
  /** Largest batch that an index entry may point to. */
  readonly maxMessageSize: number;
  /** Compare indexes with the log without listing them. */
  readonly verifyOnly: boolean;
  /** Only what a start checks of an index. */
  readonly sanityOnly: boolean;
  readonly findings: Findings;
}
