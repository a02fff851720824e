import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../../../shared/runtime/logger.ts';
import { errorBody, HttpError } from '../http-error.ts';
import type { Acks, RestClients } from './clients.ts';
import { readEvents, readLines, readPage } from './read.ts';
import { readOptions } from './read-options.ts';
import { restError } from './rest-errors.ts';
import { produceAll, produceLines, produceOne } from './write.ts';

const NDJSON = 'application/x-ndjson';
const EVENTS = 'text/event-stream';
/** Largest JSON body; longer ones belong into an NDJSON stream. */
const MAX_JSON_BYTES = 4 << 20;

interface TopicParams {
  readonly topic: string;
}
interface PartitionParams extends TopicParams {
  readonly partition: string;
}
type Query = Readonly<Record<string, unknown>>;
type TopicRequest = FastifyRequest<{ Params: TopicParams; Querystring: Query }>;
type PartitionRequest = FastifyRequest<{ Params: PartitionParams; Querystring: Query }>;

/** The short data paths: records in, records out, at any broker, whoever leads. */
export function registerRest(app: FastifyInstance, clients: RestClients, logger: Logger): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
    scope.setErrorHandler((error, request, reply) => answerError(error, request, reply, logger));
    scope.get('/topics', () => listTopics(clients));
    scope.get('/topics/:topic', (request: TopicRequest) => describeTopic(clients, request.params.topic));
    scope.post('/topics/:topic/records', (request: TopicRequest, reply) => write(clients, request, reply));
    scope.get('/topics/:topic/partitions/:partition/records', (request: PartitionRequest, reply) =>
      read(clients, request, reply),
    );
    done();
  });
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): FastifyReply {
  const known = restError(error);
  if (known !== null) return reply.code(known.status).send(known.body);
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  if (status < 500) return reply.code(status).send(errorBody(status * 100, (error as Error).message));
  logger.error({ err: error, method: request.method, url: request.url }, 'a REST request failed unexpectedly');
  return reply.code(500).send(errorBody(50000, 'The broker failed to handle the request; its log says why.'));
}

async function listTopics(clients: RestClients) {
  const topics = await clients.admin().listTopics();
  return { topics: topics.map(({ name, partitions }) => ({ name, partitions: partitions.length })) };
}

async function describeTopic(clients: RestClients, name: string) {
  const { topicId, partitions } = await clients.admin().describeTopic(name);
  return {
    name,
    topic_id: topicId,
    partitions: partitions.map(({ partition, leader, replicas, isr }) => ({ partition, leader, replicas, isr })),
  };
}

async function write(clients: RestClients, request: TopicRequest, reply: FastifyReply): Promise<unknown> {
  const { topic } = request.params;
  const producer = clients.producer(acksOf(request.query.acks));
  const body = request.body as Readable | undefined;
  if (body === undefined)
    throw new HttpError(400, 'The body is empty; it takes one record, a list of records, or NDJSON.');
  if (contentType(request) === NDJSON) {
    return reply.type(NDJSON).send(Readable.from(produceLines(producer, topic, body)));
  }
  const json = parseJson(await collect(body));
  return Array.isArray(json) ? { reports: await produceAll(producer, topic, json) } : produceOne(producer, topic, json);
}

function acksOf(text: unknown): Acks {
  if (text === undefined || text === 'all' || text === '-1') return 'all';
  if (text === '1' || text === '0') return text;
  throw new HttpError(400, 'acks must be all, 1 or 0.');
}

function contentType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

async function collect(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_JSON_BYTES)
      throw new HttpError(413, `The body has more than ${MAX_JSON_BYTES} bytes; stream records as ${NDJSON}.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new HttpError(400, `The body is not JSON: ${(error as Error).message}.`);
  }
}

async function read(clients: RestClients, request: PartitionRequest, reply: FastifyReply): Promise<unknown> {
  const { topic, partition } = request.params;
  const lastEventId = request.headers['last-event-id'];
  const options = readOptions(
    topic,
    partition,
    request.query,
    typeof lastEventId === 'string' ? lastEventId : undefined,
  );
  const accept = request.headers.accept ?? '';
  if (accept.includes(EVENTS))
    return stream(reply.type(EVENTS).header('cache-control', 'no-store'), readEvents(clients, options));
  if (accept.includes(NDJSON)) return stream(reply.type(NDJSON), readLines(clients, options));
  return readPage(clients, options);
}

/** The first piece is awaited: what is wrong with the request is still answered with a status. */
async function stream(reply: FastifyReply, pieces: AsyncGenerator<string>): Promise<FastifyReply> {
  const first = await pieces.next();
  const all = (async function* () {
    if (first.done !== true) yield first.value;
    yield* pieces;
  })();
  return reply.send(Readable.from(all));
}
