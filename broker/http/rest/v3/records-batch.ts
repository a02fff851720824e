import { HttpError, type ErrorBody } from '../../http-error.ts';
import { ref } from '../../openapi/schema.ts';
import { json } from './answers.ts';
import type { V3Call, V3Route } from './call.ts';
import { deliver, failure } from './records.ts';
import { BATCH_FRAME, MAX_BATCH_ENTRIES, PRODUCE_BATCH } from './schemas.ts';

export const RECORD_BATCH_ROUTES: readonly V3Route[] = [
  {
    method: 'POST',
    path: '/v3/clusters/{cluster_id}/topics/{topic_name}/records:batch',
    id: 'produceRecordsBatch',
    tag: 'Records (v3)',
    summary: 'Writes a list of records, and tells of each what became of it',
    body: json(PRODUCE_BATCH, {
      entries: [
        { id: '1', value: { type: 'STRING', data: 'one' } },
        { id: '2', value: { type: 'STRING', data: 'two' } },
      ],
    }),
    answers: { 207: { description: 'What became of each.', content: json(ref('ProduceBatchResponse')) } },
    handler: produceBatch,
  },
];

interface Entry {
  readonly id: string;
  readonly [field: string]: unknown;
}

async function produceBatch(call: V3Call) {
  const { entries } = await call.body<{ readonly entries: readonly Entry[] }>(BATCH_FRAME);
  const problem = batchProblem(entries);
  if (problem !== null) throw new HttpError(422, problem, 42208);
  const producer = call.parts.clients.producer('all');
  const topic = call.text('topic_name');
  const outcomes = await Promise.allSettled(
    entries.map(({ id: _, ...record }) => deliver(call, producer, topic, record)),
  );
  const successes: object[] = [];
  const failures: ({ readonly id: string } & ErrorBody)[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const { id } = entries[index]!;
    if (outcome.status === 'fulfilled') successes.push({ id, ...outcome.value });
    else failures.push({ id, ...failure(outcome.reason) });
  }
  return call.reply.code(207).send({ successes, failures });
}

/** As Confluent's Errors.produceBatchException has it. */
function batchProblem(entries: readonly Entry[]): string | null {
  if (entries.length === 0) return 'Empty batch.';
  if (entries.length > MAX_BATCH_ENTRIES) return `Too many entries in batch: at most ${MAX_BATCH_ENTRIES} are allowed.`;
  if (new Set(entries.map(({ id }) => id)).size < entries.length) return 'Batch entry IDs are not distinct.';
  return null;
}
