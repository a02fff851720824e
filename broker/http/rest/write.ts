import type { Readable } from 'node:stream';
import type { Producer } from '../../../client/index.ts';
import { HttpError } from '../http-error.ts';
import { recordFromJson } from './json-record.ts';
import { restError } from './rest-errors.ts';

/** Records of one stream that may wait for their acknowledgement; beyond it the body is not read on. */
const MAX_PENDING = 1_000;
/** Longest line of a stream, in bytes. */
const MAX_LINE_BYTES = 2 << 20;

/** What became of one record. */
export type Report =
  | { readonly partition: number; readonly offset: number; readonly timestamp: number }
  | { readonly error_code: number; readonly message: string };

/** Sends one record; never rejects. */
async function produce(producer: Producer, topic: string, json: unknown): Promise<Report> {
  try {
    const { partition, offset, timestamp } = await producer.send(recordFromJson(topic, json));
    return { partition, offset, timestamp };
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
  return Promise.all(list.map(json => produce(producer, topic, json)));
}

/**
 * Sends the records of an NDJSON body while it arrives, and yields one report line each, in order, as soon as it is
 * known. Reading and reporting run side by side: a client may wait for a report before it sends the next line.
 */
export async function* produceLines(producer: Producer, topic: string, body: Readable): AsyncGenerator<string> {
  const pending: Promise<Report>[] = [];
  const state: { ended: boolean; error: unknown } = { ended: false, error: null };
  const arrived = new Signal();
  const room = new Signal();
  const reading = (async () => {
    for await (const line of lines(body)) {
      pending.push(parseAndProduce(producer, topic, line));
      arrived.raise();
      while (pending.length >= MAX_PENDING) await room.next();
    }
  })()
    .catch((error: unknown) => (state.error = error))
    .finally(() => {
      state.ended = true;
      arrived.raise();
    });
  for (;;) {
    const next = pending[0];
    if (next !== undefined) {
      const report = await next;
      void pending.shift();
      room.raise();
      yield `${JSON.stringify(report)}\n`;
    } else if (state.ended) break;
    else await arrived.next();
  }
  await reading;
  if (state.error !== null) yield `${JSON.stringify(failure(state.error))}\n`;
}

/** Lets one side wait for the other; a raise that nobody waits for is remembered. */
class Signal {
  #raised = false;
  #wake: (() => void) | null = null;

  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  async next(): Promise<void> {
    if (!this.#raised) await new Promise<void>(resolve => (this.#wake = resolve));
    this.#raised = false;
    this.#wake = null;
  }
}

function parseAndProduce(producer: Producer, topic: string, line: string): Promise<Report> {
  try {
    return produce(producer, topic, JSON.parse(line));
  } catch (error) {
    return Promise.resolve(failure(new HttpError(400, `The line is not JSON: ${(error as Error).message}.`)));
  }
}

async function* lines(body: Readable): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of body as AsyncIterable<Buffer>) {
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
