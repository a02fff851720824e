import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OffsetToCommit } from '../../../../client/index.ts';
import { HttpError } from '../../http-error.ts';
import { problemOf, ref, type Schema } from '../../openapi/schema.ts';
import type { Parameter, Route } from '../../route.ts';
import { collect, parseJson } from '../body.ts';
import type { RestParts } from '../parts.ts';
import { ISOLATIONS, MAX_BYTES } from '../read-options.ts';
import { COMMIT } from './schemas.ts';
import { ASSIGNORS, MAX_POLL_INTERVAL_MS, SESSION_TIMEOUT_MS, streamOptions } from './stream-options.ts';
import { EVENTS, LINES } from './stream-output.ts';

const tag = 'Groups';

const query = (schema: Schema, description: string): Parameter => ({ in: 'query', schema, description });
const milliseconds = (ms: number): Schema => ({ type: 'integer', minimum: 1, default: ms });

/** One stream is one member of a consumer group: at any broker, with no library. */
export const GROUP_ROUTES: readonly Route<RestParts>[] = [
  {
    method: 'GET',
    path: '/groups/{group}/stream',
    id: 'streamGroup',
    tag,
    summary: 'Joins a consumer group and streams the records of its share, until the reader leaves',
    parameters: {
      topics: query({ type: 'string' }, 'The topics to read, separated by commas; needed.'),
      start: query(
        { type: 'string', enum: ['earliest', 'latest'], default: 'latest' },
        'Where to begin in partitions of which the group has committed nothing.',
      ),
      auto_commit: query(
        { type: 'boolean', default: true },
        'Whether what the connection has taken is committed by itself: every 5 s, and when a partition is given up.',
      ),
      limit: query({ type: 'integer', minimum: 1 }, 'Records after which the stream ends; default: it does not.'),
      json: query({ type: 'boolean', default: false }, 'Whether values that are JSON are shown as that JSON.'),
      isolation: query(
        { type: 'string', enum: ISOLATIONS, default: ISOLATIONS[0] },
        'read_committed leaves out what open and aborted transactions have written.',
      ),
      max_bytes: query(
        { type: 'integer', minimum: 1, maximum: MAX_BYTES, default: 1 << 20 },
        'Bytes that are fetched at a time from each broker.',
      ),
      session_timeout_ms: query(
        milliseconds(SESSION_TIMEOUT_MS),
        'How long the group keeps the share of a stream whose broker has died.',
      ),
      max_poll_interval_ms: query(
        milliseconds(MAX_POLL_INTERVAL_MS),
        'How long a reader may take no records before others get its share.',
      ),
      assignors: query(
        { type: 'string', default: ASSIGNORS },
        'How members share partitions out, the preferred way first: range, roundrobin, sticky, cooperative-sticky.',
      ),
    },
    answers: {
      200: {
        description: 'The membership, records, and each change of the membership.',
        content: {
          [LINES.contentType]: { schema: ref('GroupRecord') },
          [EVENTS.contentType]: {
            schema: { type: 'string', description: 'Messages are GroupRecords, the others GroupEvents.' },
          },
        },
      },
    },
    isWrite: true,
    handle: stream,
  },
  {
    method: 'POST',
    path: '/groups/{group}/offsets',
    id: 'commitOffsets',
    tag,
    summary: 'Commits offsets for the member that a stream is, as long as it is in the generation named',
    body: {
      'application/json': {
        schema: ref('GroupCommit'),
        example: {
          member: 'rest-0-8e1f…',
          generation: 1,
          offsets: [{ topic: 'orders', partition: 0, offset: 42 }],
        },
      },
    },
    answers: { 204: { description: 'Committed.' } },
    handle: commit,
  },
];

async function stream({ streams }: RestParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { group } = request.params as { group: string };
  const options = streamOptions(group, request.query as Record<string, unknown>);
  const form = (request.headers.accept ?? '').includes(EVENTS.contentType) ? EVENTS : LINES;
  await streams.serve(options, form, reply.raw, () => void reply.hijack());
  return reply;
}

async function commit({ clients }: RestParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { group: groupId } = request.params as { group: string };
  const body = request.body as Readable | undefined;
  if (body === undefined) throw new HttpError(400, 'The body is empty; it takes member, generation and offsets.');
  const json = parseJson((await collect(body, '')).toString());
  const problem = problemOf(COMMIT, json, 'The body');
  if (problem !== null) throw new HttpError(400, problem);
  const { member, generation, offsets } = json as Commit;
  await clients.commits().commit({ groupId, memberId: member, generationId: generation }, offsets);
  return reply.code(204).send();
}

interface Commit {
  readonly member: string;
  readonly generation: number;
  readonly offsets: readonly OffsetToCommit[];
}
