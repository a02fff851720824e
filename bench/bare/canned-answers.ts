import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import { FETCH_VERSION, PRODUCE_VERSION } from '../harness/dialect.ts';

/** The body of every produce answer. */
export function produceAnswer(topic: string): Buffer {
  const partitionResponses = [{ index: 0, errorCode: 0, baseOffset: 0, recordErrors: [] }];
  return Buffer.concat(Produce.response.encode({ responses: [{ name: topic, partitionResponses }] }, PRODUCE_VERSION));
}

/** What stands before the records in every fetch answer; the records are its end. */
export function fetchAnswerHead(topic: string, recordBytes: number): Buffer {
  const records = Buffer.alloc(recordBytes);
  const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 0, abortedTransactions: null, records };
  const whole = Fetch.response.encode({ responses: [{ topic, partitions: [partition] }] }, FETCH_VERSION);
  const bytes = Buffer.concat(whole);
  return bytes.subarray(0, bytes.length - recordBytes);
}
