import { beforeEach, expect, test } from 'vitest';
import { deleteTopicsHandler } from '../../../../broker/api/delete-topics.ts';
import type { MetadataCache } from '../../../../broker/metadata/metadata-cache.ts';
import { MetadataWaits } from '../../../../broker/metadata/metadata-waits.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { errorByCode } from '../../../../shared/protocol/errors.ts';
import { ZERO_UUID } from '../../../../shared/protocol/schema.ts';
import { systemTimers } from '../../../../shared/runtime/clock.ts';
import type { ZooKeeperStore } from '../../../../shared/zookeeper/store.ts';
import { brokerConfig, knownCluster, partitionMetadata } from '../../../support/known-cluster.ts';
import { memoryStore } from '../../../support/memory-store.ts';

const ORDERS = { name: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAABQ' };
const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAACQ';

let store: ZooKeeperStore;
let metadata: MetadataCache;

beforeEach(async () => {
  store = await memoryStore();
  metadata = knownCluster([1]);
  hear(1);
});

/** Has the cache hear of the topic's leader; -2: it is being deleted. */
function hear(leader: number): void {
  const partitions = [partitionMetadata({ topic: ORDERS.name, partition: 0, leader })];
  metadata.apply({
    controllerId: 1,
    brokers: [{ id: 1, rack: null, endpoints: [] }],
    topics: [{ topic: ORDERS.name, topicId: ORDERS.topicId, partitions }],
  });
}

interface Wish {
  readonly name: string | null;
  readonly topicId?: string;
}

async function remove(
  wishes: readonly Wish[],
  { version = 6, timeoutMs = 0, settings = {}, isController = true } = {},
): Promise<{ error: string; name: string | null | undefined; topicId: string | undefined }[]> {
  const waits = new MetadataWaits(metadata, systemTimers);
  const parts = { store, metadata, waits, config: brokerConfig(settings), isController: () => isController };
  const topics = wishes.map(({ name, topicId = ZERO_UUID }) => ({ name, topicId }));
  const request =
    version < 6 ? { topics: [], topicNames: wishes.map(({ name }) => name!) } : { topics, topicNames: [] };
  const context = { apiVersion: version, park: () => {} } as unknown as RequestContext;
  const { responses } = (await deleteTopicsHandler(parts).handle({ ...request, timeoutMs }, context))!;
  return responses.map(({ errorCode, name, topicId }) => ({ error: errorByCode(errorCode).name, name, topicId }));
}

test('a topic is found by its id, and named in the answer', async () => {
  const answer = remove([{ name: null, topicId: ORDERS.topicId }], { timeoutMs: 5000 });
  await expect.poll(() => store.deletions.list()).toEqual(['orders']);
  hear(-2);
  expect(await answer).toEqual([{ error: 'NONE', ...ORDERS }]);
});

test('an id that no topic has is told as such, without a name', async () => {
  const expected = { error: 'UNKNOWN_TOPIC_ID', name: null, topicId: OTHER_ID };
  expect(await remove([{ name: null, topicId: OTHER_ID }])).toEqual([expected]);
  expect(await store.deletions.list()).toEqual([]);
});

test('a name and an id together are refused, for all topics of the request', async () => {
  const errors = (await remove([{ name: 'other' }, ORDERS])).map(({ error }) => error);
  expect(errors).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST']);
  expect(await store.deletions.list()).toEqual([]);
});

test.each([
  ['REQUEST_TIMED_OUT', 'orders', {}],
  ['UNKNOWN_TOPIC_OR_PARTITION', 'none', {}],
  ['NOT_CONTROLLER', 'orders', { isController: false }],
  ['TOPIC_DELETION_DISABLED', 'orders', { settings: { 'delete.topic.enable': 'false' }, version: 3 }],
  ['INVALID_REQUEST', 'orders', { settings: { 'delete.topic.enable': 'false' }, version: 2 }],
])('%s', async (error, name, options) => {
  expect(await remove([{ name }], options)).toMatchObject([{ error, name }]);
});
