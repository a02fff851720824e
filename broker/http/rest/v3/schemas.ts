import { OPERATIONS } from '../../../request/authorized-operations.ts';
import { ref, struct, type Schema } from '../../openapi/schema.ts';

/**
 * The shapes of Confluent's REST API v3, which programs are written against: names, order and what may be missing follow
 * its published OpenAPI document.
 */

const STRING: Schema = { type: 'string' };
const INTEGER: Schema = { type: 'integer' };
const INTEGERS: Schema = { type: 'array', items: INTEGER };
const BOOLEAN: Schema = { type: 'boolean' };
const TEXT_OR_NULL: Schema = { type: ['string', 'null'] };
const link = ref('Relationship');
const CONFIG_SOURCE: Schema = { ...STRING, description: 'Where the value comes from: DYNAMIC_TOPIC_CONFIG, …' };

const own = (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema =>
  struct({ kind: STRING, metadata: ref('ResourceMetadata'), cluster_id: STRING, ...properties }, optional);

const list = (name: string): Schema =>
  struct({ kind: STRING, metadata: ref('ResourceCollectionMetadata'), data: { type: 'array', items: ref(name) } });

const config = (place: Readonly<Record<string, Schema>>): Schema =>
  own({
    ...place,
    name: STRING,
    value: TEXT_OR_NULL,
    is_default: BOOLEAN,
    is_read_only: BOOLEAN,
    is_sensitive: BOOLEAN,
    source: CONFIG_SOURCE,
    synonyms: { type: 'array', items: struct({ name: STRING, value: TEXT_OR_NULL, source: CONFIG_SOURCE }) },
  });

const partitionPlace = { topic_name: STRING, partition_id: INTEGER };
const consumerPlace = { consumer_group_id: STRING, consumer_id: STRING };

const RESOURCES: Readonly<Record<string, Schema>> = {
  ClusterData: own(
    {
      controller: link,
      acls: link,
      brokers: link,
      broker_configs: link,
      consumer_groups: link,
      topics: link,
      partition_reassignments: link,
    },
    ['controller'],
  ),
  BrokerData: own({
    broker_id: INTEGER,
    host: TEXT_OR_NULL,
    port: { type: ['integer', 'null'] },
    rack: TEXT_OR_NULL,
    configs: link,
    partition_replicas: link,
  }),
  TopicData: own(
    {
      topic_name: STRING,
      is_internal: BOOLEAN,
      replication_factor: INTEGER,
      partitions_count: INTEGER,
      authorized_operations: { type: 'array', items: { ...STRING, enum: OPERATIONS.topic } },
      partitions: link,
      configs: link,
      partition_reassignments: link,
    },
    ['authorized_operations'],
  ),
  PartitionData: own({ ...partitionPlace, leader: link, replicas: link, reassignment: link }, ['leader']),
  ReplicaData: own({ ...partitionPlace, broker_id: INTEGER, is_leader: BOOLEAN, is_in_sync: BOOLEAN, broker: link }),
  ReassignmentData: own({ ...partitionPlace, adding_replicas: INTEGERS, removing_replicas: INTEGERS, replicas: link }),
  ConsumerGroupData: own({
    consumer_group_id: STRING,
    is_simple: BOOLEAN,
    partition_assignor: STRING,
    state: {
      ...STRING,
      enum: ['UNKNOWN', 'PREPARING_REBALANCE', 'COMPLETING_REBALANCE', 'STABLE', 'DEAD', 'EMPTY'],
    },
    coordinator: link,
    consumers: link,
    lag_summary: link,
  }),
  ConsumerData: own({ ...consumerPlace, instance_id: TEXT_OR_NULL, client_id: STRING, assignments: link }),
  ConsumerAssignmentData: own({ ...consumerPlace, ...partitionPlace, partition: link, lag: link }),
  ConsumerLagData: own({
    consumer_group_id: STRING,
    ...partitionPlace,
    current_offset: INTEGER,
    log_end_offset: INTEGER,
    lag: INTEGER,
    consumer_id: { ...STRING, description: 'Empty when the partition is nobody’s.' },
    instance_id: TEXT_OR_NULL,
    client_id: STRING,
  }),
  TopicConfigData: config({ topic_name: STRING }),
  BrokerConfigData: config({ broker_id: INTEGER }),
  ClusterConfigData: config({ config_type: { ...STRING, enum: ['BROKER'] } }),
};

const RECORD_DATA: Schema = {
  ...struct({ size: { ...INTEGER, description: 'Bytes.' }, type: STRING }),
  description: 'What was sent; missing when the record had none.',
};

const DELIVERED = {
  cluster_id: STRING,
  ...partitionPlace,
  offset: INTEGER,
  timestamp: { ...STRING, format: 'date-time' },
  key: RECORD_DATA,
  value: RECORD_DATA,
} as const;

export const V3_SCHEMAS: Readonly<Record<string, Schema>> = {
  Relationship: struct({ related: { ...STRING, description: 'The URL of what is meant.' } }),
  ResourceMetadata: struct({ self: STRING, resource_name: TEXT_OR_NULL }),
  ResourceCollectionMetadata: struct({ self: STRING, next: TEXT_OR_NULL }),
  ...RESOURCES,
  ...Object.fromEntries(Object.keys(RESOURCES).map(name => [`${name}List`, list(name)])),
  ConsumerGroupLagSummaryData: own({
    consumer_group_id: STRING,
    max_lag_consumer_id: STRING,
    max_lag_instance_id: TEXT_OR_NULL,
    max_lag_client_id: STRING,
    max_lag_topic_name: STRING,
    max_lag_partition_id: INTEGER,
    max_lag: INTEGER,
    total_lag: INTEGER,
    max_lag_consumer: link,
    max_lag_partition: link,
  }),
  PartitionWithOffsetsData: own({ ...partitionPlace, earliest_offset: INTEGER, latest_offset: INTEGER }),
  ProduceResponse: {
    ...struct({ error_code: { ...INTEGER, description: '200, or what went wrong.' }, message: STRING, ...DELIVERED }, [
      'message',
      ...Object.keys(DELIVERED),
    ]),
  },
  ProduceBatchResponse: struct({
    successes: { type: 'array', items: struct({ id: STRING, ...DELIVERED }, ['key', 'value']) },
    failures: { type: 'array', items: struct({ id: STRING, error_code: INTEGER, message: STRING }) },
  }),
};

const closed = (schema: Schema): Schema => ({ ...schema, additionalProperties: false });

/** Bodies of requests: what these say is checked. */
export const CREATE_TOPIC = closed(
  struct(
    {
      topic_name: STRING,
      partitions_count: { type: ['integer', 'null'], minimum: 1, maximum: 2 ** 31 - 1 },
      replication_factor: { type: ['integer', 'null'], minimum: -1, maximum: 2 ** 15 - 1 },
      replicas_assignments: {
        type: ['object', 'null'],
        description: 'Broker ids by partition number, instead of the two counts.',
        additionalProperties: { type: 'array', items: { type: 'integer', minimum: 0 } },
      },
      configs: {
        type: ['array', 'null'],
        items: closed(struct({ name: STRING, value: TEXT_OR_NULL }, ['value'])),
      },
      validate_only: { type: ['boolean', 'null'] },
    },
    ['partitions_count', 'replication_factor', 'replicas_assignments', 'configs', 'validate_only'],
  ),
);

export const PARTITIONS_COUNT = closed(
  struct({ partitions_count: { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 } }),
);

export const CONFIG_VALUE = closed(struct({ value: TEXT_OR_NULL }));

export const ALTER_CONFIGS = closed(
  struct(
    {
      data: {
        type: 'array',
        items: closed(
          struct(
            {
              name: STRING,
              value: TEXT_OR_NULL,
              operation: { type: ['string', 'null'], enum: ['SET', 'DELETE', null] },
            },
            ['value', 'operation'],
          ),
        ),
      },
      validate_only: { type: ['boolean', 'null'] },
    },
    ['validate_only'],
  ),
);

const DATA: Schema = {
  type: ['object', 'null'],
  properties: {
    type: {
      type: ['string', 'null'],
      description: 'BINARY (base64), JSON or STRING; needed where there are data. There is no schema registry.',
    },
    data: { description: 'A string for BINARY and STRING, anything for JSON; null or missing is Kafka’s null.' },
  },
  additionalProperties: false,
};

const RECORD: Readonly<Record<string, Schema>> = {
  partition_id: { type: ['integer', 'null'], description: 'Without it the key, or chance, decides.' },
  headers: {
    type: ['array', 'null'],
    items: closed(
      struct({ name: STRING, value: { type: ['string', 'null'], description: 'Base64.', format: 'byte' } }, ['value']),
    ),
  },
  key: DATA,
  value: DATA,
  timestamp: { type: ['string', 'null'], format: 'date-time' },
};

export const PRODUCE = closed(struct(RECORD, Object.keys(RECORD)));

export const MAX_BATCH_ENTRIES = 1_000;

/** What must hold of a batch as a whole; what is wrong with one record is told of that one. */
export const BATCH_FRAME = closed(
  struct({ entries: { type: 'array', items: struct({ id: { type: 'string', minLength: 1, maxLength: 80 } }) } }),
);

export const PRODUCE_BATCH = closed(
  struct({
    entries: {
      type: 'array',
      description: `From 1 to ${MAX_BATCH_ENTRIES}, with ids that differ.`,
      items: closed(struct({ id: { type: 'string', minLength: 1, maxLength: 80 }, ...RECORD }, Object.keys(RECORD))),
    },
  }),
);
