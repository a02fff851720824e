import type { Route } from '../../route.ts';
import type { RestParts } from '../parts.ts';
import { BROKER_CONFIG_ROUTES } from './broker-configs.ts';
import { BROKER_ROUTES } from './brokers.ts';
import { served } from './call.ts';
import { CLUSTER_ROUTES } from './clusters.ts';
import { CONSUMER_GROUP_ROUTES } from './consumer-groups.ts';
import { CONSUMER_LAG_ROUTES } from './consumer-lags.ts';
import { PARTITION_ROUTES } from './partitions.ts';
import { REASSIGNMENT_ROUTES } from './reassignments.ts';
import { RECORD_BATCH_ROUTES } from './records-batch.ts';
import { RECORD_ROUTES } from './records.ts';
import { REPLICA_ROUTES } from './replicas.ts';
import { TOPIC_CONFIG_ROUTES } from './topic-configs.ts';
import { TOPIC_ROUTES } from './topics.ts';

/** Every path under /v3. */
export const V3_ROUTES: readonly Route<RestParts>[] = [
  ...CLUSTER_ROUTES,
  ...BROKER_ROUTES,
  ...BROKER_CONFIG_ROUTES,
  ...TOPIC_ROUTES,
  ...TOPIC_CONFIG_ROUTES,
  ...PARTITION_ROUTES,
  ...REPLICA_ROUTES,
  ...REASSIGNMENT_ROUTES,
  ...CONSUMER_GROUP_ROUTES,
  ...CONSUMER_LAG_ROUTES,
  ...RECORD_ROUTES,
  ...RECORD_BATCH_ROUTES,
].map(served);
