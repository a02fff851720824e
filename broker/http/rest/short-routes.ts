import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '../http-error.ts';
import { ref, type Schema } from '../openapi/schema.ts';
import type { Parameter, Route } from '../route.ts';
import { collect, contentType, parseJson } from './body.ts';
import type { Acks } from './clients.ts';
import type { RestParts } from './parts.ts';
import { readEvents, readLines, readPage } from './read.ts';
import { ISOLATIONS, MAX_BYTES, MAX_LIMIT, MAX_WAIT_MS, readOptions } from './read-options.ts';
import { streamed } from './streamed.ts';
import { produceAll, produceLines, produceOne } from './write.ts';

const JSON_TYPE = 'application/json';
const NDJSON = 'application/x-ndjson';
const EVENTS = 'text/event-stream';
const tag = 'Records';

const query = (schema: Schema, description: string): Parameter => ({ in: 'query', schema, description });

/** The short data paths: records in, records out, at any broker, whoever leads. */
export const SHORT_ROUTES: readonly Route<RestParts>[] = [
  {
    method: 'GET',
    path: '/topics',
    id: 'listTopics',
    tag,
    summary: 'Lists the topics',
    answers: { 200: { description: 'The topics.', content: { [JSON_TYPE]: { schema: ref('Topics') } } } },
    handle: listTopics,
  },
  {
    method: 'GET',
    path: '/topics/{topic}',
    id: 'describeTopic',
    tag,
    summary: 'Shows the partitions of a topic with leader, replicas and ISR',
    answers: { 200: { description: 'The topic.', content: { [JSON_TYPE]: { schema: ref('Topic') } } } },
    handle: describeTopic,
  },
  {
    method: 'POST',
    path: '/topics/{topic}/records',
    id: 'writeRecords',
    tag,
    summary: 'Writes a record, a list of them, or a stream of lines',
    parameters: {
      acks: query({ type: 'string', enum: ['all', '1', '0'], default: 'all' }, 'Who must have it, as in Kafka.'),
    },
    body: {
      [JSON_TYPE]: {
        schema: { description: 'A RecordIn, or a list of them.' },
        example: { key: 'k1', value: { n: 1 } },
      },
      [NDJSON]: { schema: ref('RecordIn'), example: '{"value": "one"}\n{"value": "two"}\n' },
    },
    answers: {
      200: {
        description: 'A report; {"reports": […]} for a list; a report a line for lines.',
        content: { [JSON_TYPE]: { schema: { type: 'object' } }, [NDJSON]: { schema: ref('Report') } },
      },
    },
    handle: write,
  },
  {
    method: 'GET',
    path: '/topics/{topic}/partitions/{partition}/records',
    id: 'readRecords',
    tag,
    summary: 'Reads records from an offset on: a page, lines, or events without end',
    parameters: {
      offset: query(
        { type: 'string', default: 'earliest' },
        'A number, earliest, latest, or timestamp:<ms> (the first record at or after that time).',
      ),
      limit: query({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: 100 }, 'Most records.'),
      wait_ms: query(
        { type: 'integer', minimum: 0, maximum: MAX_WAIT_MS, default: 0 },
        'How long to wait for the first record.',
      ),
      max_bytes: query(
        { type: 'integer', minimum: 1, maximum: MAX_BYTES, default: 1 << 20 },
        'Bytes that are fetched at a time.',
      ),
      json: query({ type: 'boolean', default: false }, 'Whether values that are JSON are shown as that JSON.'),
      isolation: query(
        { type: 'string', enum: ISOLATIONS, default: ISOLATIONS[0] },
        'read_committed leaves out what open and aborted transactions have written.',
      ),
      'Last-Event-ID': {
        in: 'header',
        schema: { type: 'string' },
        description:
          'The id of the last event that was seen: reading goes on behind it. Browsers send it by themselves.',
      },
    },
    answers: {
      200: {
        description: 'The records.',
        content: {
          [JSON_TYPE]: { schema: ref('RecordPage') },
          [NDJSON]: { schema: ref('RecordOut') },
          [EVENTS]: { schema: { type: 'string', description: 'Events with the id partition:offset and a RecordOut.' } },
        },
      },
    },
    handle: read,
  },
];

async function listTopics({ clients }: RestParts) {
  const topics = await clients.admin().listTopics();
  return { topics: topics.map(({ name, partitions }) => ({ name, partitions: partitions.length })) };
}

async function describeTopic({ clients }: RestParts, request: FastifyRequest) {
  const { topic: name } = request.params as { topic: string };
  const { topicId, partitions } = await clients.admin().describeTopic(name);
  return {
    name,
    topic_id: topicId,
    partitions: partitions.map(({ partition, leader, replicas, isr }) => ({ partition, leader, replicas, isr })),
  };
}

async function write({ clients }: RestParts, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { topic } = request.params as { topic: string };
  const producer = clients.producer(acksOf((request.query as { acks?: unknown }).acks));
  const body = request.body as Readable | undefined;
  if (body === undefined)
    throw new HttpError(400, 'The body is empty; it takes one record, a list of records, or NDJSON.');
  if (contentType(request) === NDJSON) return streamed(reply.type(NDJSON), produceLines(producer, topic, body));
  const json = parseJson((await collect(body, `; stream records as ${NDJSON}`)).toString());
  return Array.isArray(json) ? { reports: await produceAll(producer, topic, json) } : produceOne(producer, topic, json);
}

function acksOf(text: unknown): Acks {
  if (text === undefined || text === 'all' || text === '-1') return 'all';
  if (text === '1' || text === '0') return text;
  throw new HttpError(400, 'acks must be all, 1 or 0.');
}

async function read({ clients }: RestParts, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { topic, partition } = request.params as { topic: string; partition: string };
  const lastEventId = request.headers['last-event-id'];
  const options = readOptions(
    topic,
    partition,
    request.query as Record<string, unknown>,
    typeof lastEventId === 'string' ? lastEventId : undefined,
  );
  const accept = request.headers.accept ?? '';
  if (accept.includes(EVENTS))
    return streamed(reply.type(EVENTS).header('cache-control', 'no-store'), readEvents(clients, options));
  if (accept.includes(NDJSON)) return streamed(reply.type(NDJSON), readLines(clients, options));
  return readPage(clients, options);
}
