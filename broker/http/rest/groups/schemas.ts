import { ref, struct, type Schema } from '../../openapi/schema.ts';

/** Shapes of the paths of groups. */

const INTEGER: Schema = { type: 'integer' };
const STRING: Schema = { type: 'string' };

const closed = (schema: Schema): Schema => ({ ...schema, additionalProperties: false });

export const COMMIT = closed(
  struct({
    member: { ...STRING, description: 'What the stream’s last event of the membership named.' },
    generation: { ...INTEGER, description: 'The same.' },
    offsets: {
      type: 'array',
      minItems: 1,
      maxItems: 10_000,
      items: closed(
        struct(
          {
            topic: STRING,
            partition: { ...INTEGER, minimum: 0, maximum: 2 ** 31 - 1 },
            offset: { ...INTEGER, minimum: 0, description: 'Of the record to be read next: the last one’s + 1.' },
            metadata: { ...STRING, description: 'Whatever you want to keep with it.' },
          },
          ['metadata'],
        ),
      ),
    },
  }),
);

const PARTITIONS: Schema = { type: 'array', items: struct({ topic: STRING, partition: INTEGER }) };

export const GROUP_SCHEMAS: Readonly<Record<string, Schema>> = {
  GroupCommit: COMMIT,
  GroupRecord: { description: 'A RecordOut with its topic.', ...ref('RecordOut') },
  GroupEvent: {
    description:
      'What is between the records: assigned, revoked and lost tell of the membership; waiting of nothing new; error and end come last.',
    ...struct(
      {
        event: { ...STRING, enum: ['assigned', 'revoked', 'lost', 'waiting', 'error', 'end'] },
        group: STRING,
        member: { ...STRING, description: 'By which the member commits.' },
        generation: INTEGER,
        partitions: {
          ...PARTITIONS,
          description: 'assigned: all that the member has now; else those that it has no more.',
        },
        error_code: INTEGER,
        message: STRING,
        error: STRING,
        reason: STRING,
      },
      ['group', 'member', 'generation', 'partitions', 'error_code', 'message', 'error', 'reason'],
    ),
  },
};
