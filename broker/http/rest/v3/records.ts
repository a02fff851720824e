import type { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Producer } from '../../../../client/index.ts';
import type { ErrorBody } from '../../http-error.ts';
import { ref } from '../../openapi/schema.ts';
import { chunksOf, discard, parseJson } from '../body.ts';
import { jsonTexts } from '../json-splitter.ts';
import { pipeline } from '../pipeline.ts';
import { streamed } from '../streamed.ts';
import { json } from './answers.ts';
import { emptyBody, type V3Call, type V3Route } from './call.ts';
import { v3Error } from './errors.ts';
import { recordFromV3 } from './record-data.ts';
import { PRODUCE } from './schemas.ts';

/** Longest record of a stream, in bytes of JSON. */
const MAX_RECORD_BYTES = 2 << 20;

export const RECORD_ROUTES: readonly V3Route[] = [
  {
    method: 'POST',
    path: '/v3/clusters/{cluster_id}/topics/{topic_name}/records',
    id: 'produceRecord',
    tag: 'Records (v3)',
    summary:
      'Writes a record, or as many as follow each other in the body, with a report each while the body still arrives',
    body: json(PRODUCE, {
      key: { type: 'STRING', data: 'k1' },
      value: { type: 'JSON', data: { n: 1 } },
    }),
    answers: {
      200: { description: 'Reports, one behind the other, in order.', content: json(ref('ProduceResponse')) },
    },
    handler: produce,
  },
];

async function produce(call: V3Call): Promise<FastifyReply> {
  const reports = produceTexts(call, call.stream());
  return streamed(call.reply.type('application/json'), reports, emptyBody);
}

async function* produceTexts(call: V3Call, body: Readable): AsyncGenerator<string> {
  const producer = call.parts.clients.producer('all');
  const topic = call.text('topic_name');
  const send = (text: string) => report(call, producer, topic, () => parseJson(text, 'The record'));
  try {
    for await (const outcome of pipeline(jsonTexts(chunksOf(body), MAX_RECORD_BYTES), send, () => producer.drained())) {
      yield `${JSON.stringify(outcome)}\n`;
    }
  } catch (error) {
    yield `${JSON.stringify(failure(error))}\n`;
  } finally {
    await discard(body);
  }
}

async function report(call: V3Call, producer: Producer, topic: string, json: () => unknown) {
  try {
    return { error_code: 200, ...(await deliver(call, producer, topic, json())) };
  } catch (error) {
    return failure(error);
  }
}

/** How a record's failure is told. @throws what is a bug of ours */
export function failure(error: unknown): ErrorBody {
  const known = v3Error(error);
  if (known === null) throw error;
  return known.body;
}

/** Sends one record, and tells where it is. @throws what went wrong with it */
export async function deliver(call: V3Call, producer: Producer, topic: string, json: unknown) {
  const { record, key, value } = recordFromV3(topic, json);
  const { partition, offset, timestamp } = await producer.send(record);
  return {
    cluster_id: call.clusterId,
    topic_name: topic,
    partition_id: partition,
    offset,
    timestamp: new Date(timestamp).toISOString(),
    ...(key === null ? {} : { key }),
    ...(value === null ? {} : { value }),
  };
}
