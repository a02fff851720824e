import type { Consumer, ConsumerRecord } from '../../../client/index.ts';
import { KafkaError } from '../../../client/index.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import type { RestClients } from './clients.ts';
import { recordToJson } from './json-record.ts';
import type { ReadOptions } from './read-options.ts';
import { restError } from './rest-errors.ts';

/** A line that keeps proxies from closing a quiet stream. */
const HEARTBEAT = ': waiting\n\n';
const HEARTBEAT_MS = 15_000;
/** How long a fetch of records that are there may take, milliseconds. */
const MORE_MS = 100;
/** How long the first fetch may take when there is something to fetch: the leader may be another broker, and busy. */
const FIRST_MS = 5_000;
/** A topic that another broker has just created may take a moment to be known here; longer, and it does not exist. */
const UNKNOWN_TOPIC_PATIENCE_MS = 2_000;

/** A consumer standing at the offset that was asked for. @throws KafkaError for a topic or partition that does not exist */
async function open(clients: RestClients, options: ReadOptions): Promise<{ consumer: Consumer; offset: number }> {
  const { topic, partition, start } = options;
  const consumer = clients.consumer(options.maxBytes);
  try {
    const partitions = await consumer.partitionsFor(topic, UNKNOWN_TOPIC_PATIENCE_MS);
    if (partitions[partition] === undefined) {
      throw new KafkaError(
        ErrorCode.INVALID_PARTITIONS,
        `Topic ${topic} has partitions 0 to ${partitions.length - 1}, not ${partition}.`,
      );
    }
    const tp = { topic, partition };
    consumer.assign([tp]);
    const offset = await startOffset(consumer, tp, start);
    consumer.seek(topic, partition, offset);
    return { consumer, offset };
  } catch (error) {
    await consumer.close();
    throw error;
  }
}

async function startOffset(
  consumer: Consumer,
  tp: { topic: string; partition: number },
  start: ReadOptions['start'],
): Promise<number> {
  if (typeof start === 'number') return start;
  if (start === 'earliest') return (await consumer.beginningOffsets([tp]))[0]!;
  if (start !== 'latest') {
    const [found] = await consumer.offsetsForTimes([[tp, start.timestampMs]]);
    if (found!.offset >= 0) return found!.offset;
  }
  return (await consumer.endOffsets([tp]))[0]!;
}

/** How long to wait for the first records, milliseconds: those that are there are worth more patience than was asked for. */
async function firstWait(consumer: Consumer, offset: number, options: ReadOptions): Promise<number> {
  const [end] = await consumer.endOffsets([options]);
  return offset === end ? options.waitMs : Math.max(options.waitMs, FIRST_MS);
}

/** Up to `limit` records in one answer; waits up to `waitMs` for the first. */
export async function readPage(
  clients: RestClients,
  options: ReadOptions,
): Promise<{ records: unknown[]; next_offset: number }> {
  const { consumer, offset } = await open(clients, options);
  try {
    const records: ConsumerRecord[] = [];
    let bytes = 0;
    let end: number | null = null;
    let wait = await firstWait(consumer, offset, options);
    do {
      const polled = await consumer.poll(wait);
      wait = MORE_MS;
      if (polled.length === 0) break;
      records.push(...polled.slice(0, options.limit - records.length));
      for (const { key, value } of polled) bytes += (key?.length ?? 0) + (value?.length ?? 0);
      // Where the log ended when the first came: behind records that trickle in, the answer would not come to an end.
      end ??= (await consumer.endOffsets([options]))[0]!;
    } while (records.length < options.limit && bytes < options.maxBytes && records.at(-1)!.offset + 1 < end);
    const last = records.at(-1);
    return {
      records: records.map(record => recordToJson(record, options.parseValues)),
      next_offset: last === undefined ? offset : last.offset + 1,
    };
  } finally {
    await consumer.close();
  }
}

/** Records one JSON line each, up to `limit`; ends when none came for `waitMs`. */
export async function* readLines(clients: RestClients, options: ReadOptions): AsyncGenerator<string> {
  const { consumer, offset } = await open(clients, options);
  let left = options.limit;
  try {
    let wait = await firstWait(consumer, offset, options);
    while (left > 0) {
      const polled = await consumer.poll(wait);
      wait = Math.max(options.waitMs, MORE_MS);
      if (polled.length === 0) return;
      const records = polled.slice(0, left);
      left -= records.length;
      yield records.map(record => `${JSON.stringify(recordToJson(record, options.parseValues))}\n`).join('');
    }
  } finally {
    await consumer.close();
  }
}

/** Records as server-sent events, until the reader leaves. The first wait for the topic happens before the first event. */
export async function* readEvents(clients: RestClients, options: ReadOptions): AsyncGenerator<string> {
  const { consumer } = await open(clients, options);
  try {
    yield ': reading\n\n';
    for (;;) {
      const records = await consumer.poll(HEARTBEAT_MS);
      if (records.length === 0) yield HEARTBEAT;
      else yield records.map(record => event(record, options)).join('');
    }
  } catch (error) {
    const known = restError(error);
    if (known === null) throw error;
    yield `event: error\ndata: ${JSON.stringify(known.body)}\n\n`;
  } finally {
    await consumer.close();
  }
}

function event(record: ConsumerRecord, { parseValues }: ReadOptions): string {
  return `id: ${record.partition}:${record.offset}\ndata: ${JSON.stringify(recordToJson(record, parseValues))}\n\n`;
}
