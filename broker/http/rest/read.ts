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
/** How often to look meanwhile whether there was anything. */
const SLICE_MS = 50;
/** A topic that another broker has just created may take a moment to be known here; longer, and it does not exist. */
const UNKNOWN_TOPIC_PATIENCE_MS = 2_000;

/** A consumer that stands at the offset that was asked for. @throws KafkaError for a topic or partition that does not exist */
async function open(clients: RestClients, options: ReadOptions): Promise<Consumer> {
  const { topic, partition, start, maxBytes, isolation } = options;
  const consumer = clients.consumer(maxBytes, isolation);
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
    consumer.seek(topic, partition, await startOffset(consumer, tp, start));
    return consumer;
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

/**
 * The first records. Those that are there are worth more patience than was asked for; but what is there may be nothing
 * except the marks of transactions, and what they have aborted.
 */
async function firstRecords(consumer: Consumer, options: ReadOptions): Promise<readonly ConsumerRecord[]> {
  const { topic, partition, waitMs } = options;
  const end = (await consumer.endOffsets([options]))[0]!;
  let waited = 0;
  for (; waited < FIRST_MS && (await consumer.position(topic, partition)) !== end; waited += SLICE_MS) {
    const polled = await consumer.poll(SLICE_MS);
    if (polled.length > 0) return polled;
  }
  return consumer.poll(Math.max(0, waitMs - waited));
}

/** Up to `limit` records in one answer; waits up to `waitMs` for the first. */
export async function readPage(
  clients: RestClients,
  options: ReadOptions,
): Promise<{ records: unknown[]; next_offset: number }> {
  const { topic, partition, limit, maxBytes } = options;
  const consumer = await open(clients, options);
  try {
    const records: ConsumerRecord[] = [];
    let bytes = 0;
    let next = 0;
    let polled = await firstRecords(consumer, options);
    // Where the log ends when the first came: behind records that trickle in, the answer would not come to an end.
    const end = (await consumer.endOffsets([options]))[0]!;
    for (;;) {
      const taken = polled.slice(0, limit - records.length);
      records.push(...taken);
      for (const { key, value } of polled) bytes += (key?.length ?? 0) + (value?.length ?? 0);
      const isCut = taken.length < polled.length;
      next = isCut ? taken.at(-1)!.offset + 1 : await consumer.position(topic, partition);
      if (polled.length === 0 || records.length >= limit || bytes >= maxBytes || next >= end) break;
      polled = await consumer.poll(MORE_MS);
    }
    return { records: records.map(record => recordToJson(record, options.parseValues)), next_offset: next };
  } finally {
    await consumer.close();
  }
}

/** Records one JSON line each, up to `limit`; ends when none came for `waitMs`. */
export async function* readLines(clients: RestClients, options: ReadOptions): AsyncGenerator<string> {
  const consumer = await open(clients, options);
  let left = options.limit;
  try {
    let polled = await firstRecords(consumer, options);
    while (polled.length > 0) {
      const records = polled.slice(0, left);
      left -= records.length;
      yield records.map(record => `${JSON.stringify(recordToJson(record, options.parseValues))}\n`).join('');
      if (left === 0) return;
      polled = await consumer.poll(Math.max(options.waitMs, MORE_MS));
    }
  } finally {
    await consumer.close();
  }
}

/** Records as server-sent events, until the reader leaves. The first wait for the topic happens before the first event. */
export async function* readEvents(clients: RestClients, options: ReadOptions): AsyncGenerator<string> {
  const consumer = await open(clients, options);
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
