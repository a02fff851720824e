import type { Readable } from 'node:stream';
import type { Producer } from '../../../client/index.ts';
import { HttpError } from '../http-error.ts';
import { chunksOf, discard, parseJson } from './body.ts';
import { recordFromJson } from './json-record.ts';
import { pipeline } from './pipeline.ts';
import { restError } from './rest-errors.ts';

/** Longest line of a stream, in bytes. */
const MAX_LINE_BYTES = 2 << 20;

/** What became of one record. */
export type Report =
  | { readonly partition: number; readonly offset: number; readonly timestamp: number }
  | { readonly error_code: number; readonly message: string };

/** Sends one record; what went wrong with it is a report. */
async function produce(producer: Producer, topic: string, json: () => unknown): Promise<Report> {
  try {
    return await produceOne(producer, topic, json());
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): Report {
  const known = restError(error);
  if (known === null) throw error;
  return known.body;
}

/** Sends one record, and throws what went wrong with it. */
export async function produceOne(producer: Producer, topic: string, json: unknown): Promise<Report> {
  const { partition, offset, timestamp } = await producer.send(recordFromJson(topic, json));
  return { partition, offset, timestamp };
}

/** Sends all records of a list; a report each, in order. */
export function produceAll(producer: Producer, topic: string, list: readonly unknown[]): Promise<Report[]> {
  return Promise.all(list.map(json => produce(producer, topic, () => json)));
}

/**
 * Sends the records of an NDJSON body while it arrives, and yields one report line each, in order, as soon as it is
 * known: a client may wait for a report before it sends the next line.
 */
export async function* produceLines(producer: Producer, topic: string, body: Readable): AsyncGenerator<string> {
  const send = (line: string) => produce(producer, topic, () => parseJson(line, 'The line'));
  try {
    for await (const report of pipeline(lines(body), send, () => producer.drained())) {
      yield `${JSON.stringify(report)}\n`;
    }
  } catch (error) {
    yield `${JSON.stringify(failure(error))}\n`;
  } finally {
    await discard(body);
  }
}

async function* lines(body: Readable): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunksOf(body)) {
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
      const line = data.toString('utf8', 0, end).trim();
      data = data.subarray(end + 1);
      if (line !== '') yield line;
    }
    if (data.length > MAX_LINE_BYTES) throw new HttpError(413, `A line has more than ${MAX_LINE_BYTES} bytes.`);
    rest = data;
  }
  const last = rest.toString().trim();
  if (last !== '') yield last;
}
