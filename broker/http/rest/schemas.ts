import { ref, struct, type Schema } from '../openapi/schema.ts';

/** Shapes of the short data paths. */

const INTEGER: Schema = { type: 'integer' };
const BYTES: Schema = {
  description: 'A string is its UTF-8 bytes, {"base64": "…"} those bytes, null Kafka’s null, other JSON its text.',
};
const PLACE = { partition: INTEGER, offset: INTEGER, timestamp: { ...INTEGER, description: 'Milliseconds.' } };

/** A record as a request brings it. */
const RECORD_IN: Schema = {
  type: 'object',
  properties: {
    key: BYTES,
    value: BYTES,
    partition: { type: ['integer', 'null'], minimum: 0 },
    headers: { description: 'An object, or a list of {"name", "value"}.', type: ['object', 'array', 'null'] },
    timestamp: { type: ['integer', 'null'], minimum: 0, description: 'Milliseconds; default: now.' },
  },
  additionalProperties: false,
};

const TOPIC_SUMMARY = struct({ name: { type: 'string' }, partitions: INTEGER });

export const SHORT_SCHEMAS: Readonly<Record<string, Schema>> = {
  RecordIn: RECORD_IN,
  Report: {
    description: 'Where the record is, or what went wrong with it.',
    ...struct({ ...PLACE, error_code: INTEGER, message: { type: 'string' } }, [
      ...Object.keys(PLACE),
      'error_code',
      'message',
    ]),
  },
  RecordOut: struct({
    ...PLACE,
    key: BYTES,
    value: BYTES,
    headers: { type: 'array', items: struct({ name: { type: 'string' }, value: BYTES }) },
  }),
  RecordPage: struct({
    records: { type: 'array', items: ref('RecordOut') },
    next_offset: { ...INTEGER, description: 'The `offset` that goes on from here.' },
  }),
  Topics: struct({ topics: { type: 'array', items: TOPIC_SUMMARY } }),
  Topic: struct({
    name: { type: 'string' },
    topic_id: { type: 'string' },
    partitions: {
      type: 'array',
      items: struct({
        partition: INTEGER,
        leader: { ...INTEGER, description: '-1 while there is none.' },
        replicas: { type: 'array', items: INTEGER },
        isr: { type: 'array', items: INTEGER },
      }),
    },
  }),
};
