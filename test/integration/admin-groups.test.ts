import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer, type Admin, type Consumer } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { waitFor } from '../support/wait.ts';

/** The SDK's admin on groups of three real brokers, each of which coordinates some of them, in both dialects. */

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({
    properties: {
      'offsets.topic.replication.factor': '3',
      'offsets.topic.num.partitions': '6',
      'group.initial.rebalance.delay.ms': '100',
      'zookeeper.session.timeout.ms': '4000',
    },
  });
}, 60_000);

afterAll(() => cluster.stop());

const PARTITIONS = [0, 1, 2].map(partition => ({ topic: 'orders', partition }));

describe.each(['http2', 'kafka'])('over %s', dialect => {
  const topic = `${dialect}-orders`;
  const partitions = PARTITIONS.map(({ partition }) => ({ topic, partition }));
  const groups = Array.from({ length: 9 }, (_, i) => `${dialect}-${i}`);
  let admin: Admin;

  beforeAll(async () => {
    admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap, 'samsa.dialect': dialect });
    await admin.createTopics([{ name: topic, partitions: PARTITIONS.length, replicationFactor: 3 }]);
    const producer = createProducer({ 'bootstrap.servers': cluster.bootstrap });
    for (let i = 0; i < 30; i++) void producer.send({ topic, partition: i % 3, value: String(i) }).catch(() => {});
    await producer.close();
  }, 60_000);

  afterAll(() => admin.close());

  async function member(group: string): Promise<Consumer> {
    const settings = { 'group.id': group, 'auto.offset.reset': 'earliest', 'client.id': 'reader' };
    const consumer = createConsumer({ 'bootstrap.servers': cluster.bootstrap, ...settings });
    consumer.subscribe([topic]);
    await waitFor('the member to read', async () => (await consumer.poll(200)).length > 0, {
      timeoutMs: 30_000,
    });
    return consumer;
  }

  test('offsets are set for groups that nobody is in, and read again, of all groups at once', async () => {
    for (const [index, group] of groups.entries()) {
      const offsets = partitions.map(tp => ({ ...tp, offset: index, metadata: `by ${group}` }));
      expect(await admin.alterGroupOffsets(group, offsets)).toEqual([null, null, null]);
    }
    const asked = groups.map((groupId, index) => ({
      groupId,
      partitions: index % 2 === 0 ? null : partitions.slice(1),
    }));
    const found = await admin.listGroupOffsets(asked);
    found.forEach((outcome, index) => {
      const offsets = { offset: index, metadata: `by ${groups[index]}`, leaderEpoch: -1 };
      const expected = (index % 2 === 0 ? partitions : partitions.slice(1)).map(tp => ({ ...tp, ...offsets }));
      expect(outcome).toEqual({ status: 'fulfilled', value: expected });
    });
    const coordinators = (await admin.describeGroups(groups)).map(
      outcome => outcome.status === 'fulfilled' && outcome.value.coordinator.id,
    );
    expect([...new Set(coordinators)].sort()).toEqual([0, 1, 2]);
    const refused = await admin.alterGroupOffsets('other', [{ topic: 'missing', partition: 0, offset: 1 }]);
    expect(refused).toMatchObject([{ codeName: 'UNKNOWN_TOPIC_OR_PARTITION' }]);
  });

  test('lists name all groups of all brokers, or those of a state', async () => {
    const consumer = await member(`${dialect}-stable`);
    const own = (listed: readonly { groupId: string }[]) =>
      listed.map(({ groupId }) => groupId).filter(groupId => groupId.startsWith(dialect));
    expect(own(await admin.listGroups())).toEqual([...groups, `${dialect}-stable`].sort());
    expect(own(await admin.listGroups({ states: ['stable'] }))).toEqual([`${dialect}-stable`]);
    expect(own(await admin.listGroups({ states: ['Empty'], types: ['Classic'] }))).toEqual(groups);
    expect(await admin.listGroups({ types: ['consumer'] })).toEqual([]);
    await consumer.close();
  });

  test('a group with a member is described, and keeps what it has; the member can be removed', async () => {
    const group = `${dialect}-busy`;
    const consumer = await member(group);
    const [described, missing] = await admin.describeGroups([group, `${dialect}-missing`]);
    expect(described).toMatchObject({
      status: 'fulfilled',
      value: {
        groupId: group,
        state: 'Stable',
        protocolType: 'consumer',
        protocol: 'range',
        members: [{ clientId: 'reader', host: '/127.0.0.1', instanceId: null, assignment: partitions }],
      },
    });
    expect(missing).toMatchObject({ status: 'fulfilled', value: { state: 'Dead', members: [] } });

    const offset = [{ ...partitions[0]!, offset: 0 }];
    expect(await admin.alterGroupOffsets(group, offset)).toMatchObject([{ codeName: 'UNKNOWN_MEMBER_ID' }]);
    expect(await admin.deleteGroupOffsets(group, offset)).toMatchObject([{ codeName: 'GROUP_SUBSCRIBED_TO_TOPIC' }]);
    expect(await admin.deleteGroups([group])).toMatchObject([{ reason: { codeName: 'NON_EMPTY_GROUP' } }]);

    expect(await admin.removeMembers(group)).toMatchObject([{ error: null, instanceId: null }]);
    expect(await admin.describeGroups([group])).toMatchObject([{ value: { state: 'Empty' } }]);
    expect(await admin.removeMembers(group, [{ instanceId: 'nobody' }])).toMatchObject([
      { instanceId: 'nobody', error: { codeName: 'UNKNOWN_MEMBER_ID' } },
    ]);
    await consumer.close();
  });

  test('offsets and groups are deleted', async () => {
    const [group, other] = groups as [string, string];
    expect(await admin.deleteGroupOffsets(group, partitions.slice(0, 2))).toEqual([null, null]);
    const left = await admin.listGroupOffsets([{ groupId: group, partitions: null }]);
    expect(left).toMatchObject([{ value: [partitions[2]] }]);
    await expect(admin.deleteGroupOffsets(`${dialect}-missing`, partitions)).rejects.toMatchObject({
      codeName: 'GROUP_ID_NOT_FOUND',
    });
    const outcomes = await admin.deleteGroups([group, `${dialect}-missing`, other]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await admin.listGroups()).map(({ groupId }) => groupId)).not.toContain(group);
  });
});

test('groups are asked about where they are now, when the broker that had them is dead', async () => {
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  await admin.createTopics([{ name: 'orders', partitions: 1, replicationFactor: 3 }]);
  const groups = Array.from({ length: 6 }, (_, i) => `survivor-${i}`);
  const offset = { topic: 'orders', partition: 0, offset: 7 };
  for (const group of groups) expect(await admin.alterGroupOffsets(group, [offset])).toEqual([null]);
  const coordinators = async () =>
    (await admin.describeGroups(groups)).map(outcome => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value.coordinator.id;
    });
  const [dead] = await coordinators();
  await cluster.brokers[dead!]!.kill();
  expect(await coordinators()).not.toContain(dead);
  const offsets = await admin.listGroupOffsets(groups.map(groupId => ({ groupId, partitions: null })));
  for (const outcome of offsets) expect(outcome).toMatchObject({ status: 'fulfilled', value: [offset] });
  const listed = (await admin.listGroups()).map(({ groupId }) => groupId);
  expect(listed).toEqual(expect.arrayContaining(groups));
  admin.close();
}, 60_000);
