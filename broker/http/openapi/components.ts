import { GROUP_SCHEMAS } from '../rest/groups/schemas.ts';
import { SHORT_SCHEMAS } from '../rest/schemas.ts';
import { V3_SCHEMAS } from '../rest/v3/schemas.ts';
import { struct, type Schema } from './schema.ts';

/** Tags with what they stand for, in the order in which they are shown. */
export const TAGS: Readonly<Record<string, string>> = {
  Records: 'Records in and out, at any broker, whoever leads.',
  Groups: 'Consumer groups without a library: one stream is one member.',
  'Cluster (v3)': 'The cluster. Its id, or `-`: there is only one.',
  'Broker (v3)': 'The brokers that are alive.',
  'Configs (v3)': 'Settings of topics, of one broker, and of all brokers.',
  'Topic (v3)': 'Topics.',
  'Partition (v3)': 'Partitions.',
  'Replica (v3)': 'Replicas of partitions.',
  'Reassignment (v3)': 'Partitions on their way to other brokers.',
  'Consumer Group (v3)': 'Consumer groups, their members, and how far they are behind.',
  'Records (v3)': 'Records in, one by one, as a stream, or as a batch.',
  RPC: 'Every Kafka API, in Kafka’s encoding or as JSON.',
  Operation: 'For probes, monitoring, and people who look around.',
};

/** Parameters in paths, by name. */
export const PATH_PARAMETERS: Readonly<Record<string, { schema: Schema; description: string }>> = {
  topic: { schema: { type: 'string' }, description: 'The topic’s name.' },
  group: { schema: { type: 'string' }, description: 'The group’s name.' },
  partition: { schema: { type: 'integer', minimum: 0 }, description: 'The partition’s number.' },
  cluster_id: { schema: { type: 'string', default: '-' }, description: 'The cluster’s id, or - for the only one.' },
  broker_id: { schema: { type: 'integer', minimum: 0 }, description: 'The broker’s id.' },
  topic_name: { schema: { type: 'string' }, description: 'The topic’s name.' },
  partition_id: { schema: { type: 'integer', minimum: 0 }, description: 'The partition’s number.' },
  consumer_group_id: { schema: { type: 'string' }, description: 'The group’s id.' },
  consumer_id: { schema: { type: 'string' }, description: 'The member’s id.' },
  name: { schema: { type: 'string' }, description: 'The setting’s name.' },
  api: { schema: { type: 'string' }, description: 'The Kafka API’s name: Metadata, Produce, …' },
};

/** What the document's `#/components/schemas` holds. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Error: struct(
    {
      error_code: { type: 'integer', description: 'The HTTP status, or a number of five digits that begins with it.' },
      message: { type: ['string', 'null'], description: 'One sentence.' },
      error: { type: 'string', description: 'Kafka’s name of the error, where it is one of Kafka’s: not under /v3.' },
    },
    ['error'],
  ),
  ...SHORT_SCHEMAS,
  ...GROUP_SCHEMAS,
  ...V3_SCHEMAS,
};
