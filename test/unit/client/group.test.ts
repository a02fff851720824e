import { beforeEach, describe, expect, test } from 'vitest';
import { createConsumer, type Consumer } from '../../../client/index.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { KafkaError } from '../../../client/errors.ts';
import { JoinGroup } from '../../../shared/protocol/messages/join-group.ts';
import { Metadata } from '../../../shared/protocol/messages/metadata.ts';
import { SyncGroup } from '../../../shared/protocol/messages/sync-group.ts';
import { ManualTime } from '../../support/manual-time.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { ScriptedGroup } from '../../support/scripted-group.ts';

let time: ManualTime;
let cluster: ScriptedCluster;
let group: ScriptedGroup;
let heard: string[];

beforeEach(() => {
  time = new ManualTime();
  cluster = new ScriptedCluster();
  cluster.leaders = [1, 1, 1];
  group = new ScriptedGroup(cluster);
  heard = [];
});

function member(settings: Record<string, unknown> = {}): Consumer {
  const consumer = createConsumer(
    { 'bootstrap.servers': 'b:1', 'group.id': 'g', 'auto.offset.reset': 'earliest', ...settings },
    { connector: cluster, runtime: { clock: time.clock, timers: time.timers } },
  );
  const note = (what: string) => (partitions: readonly { partition: number }[]) =>
    void heard.push(`${what} ${partitions.map(({ partition }) => partition).join()}`);
  consumer.subscribe(['t'], {
    onPartitionsAssigned: note('assigned'),
    onPartitionsRevoked: note('revoked'),
    onPartitionsLost: note('lost'),
  });
  return consumer;
}

/** Polls for so long; nothing comes. */
async function poll(consumer: Consumer, ms = 1000): Promise<void> {
  const polled = consumer.poll(ms);
  await time.advance(ms);
  expect(await polled).toEqual([]);
}

const assigned = (consumer: Consumer) => consumer.assignment().map(({ partition }) => partition);

describe('a member', () => {
  test('joins with the id that it is given, and starts where the group stands', async () => {
    group.errors.push({ api: 'JoinGroup', code: ErrorCode.MEMBER_ID_REQUIRED });
    group.assigned = [0, 2];
    group.committed.set(2, 40);
    const consumer = member();
    await poll(consumer);
    expect(group.asked).toEqual(["join as '' at 1 for t", "join as 'm1' at 1 for t"]);
    expect(heard).toEqual(['assigned 0,2']);
    expect(await Promise.all([0, 2].map(partition => consumer.position('t', partition)))).toEqual([0, 40]);
  });

  test('that leads shares out all partitions of the topics that there are', async () => {
    group.assigned = null;
    const consumer = member();
    await poll(consumer);
    expect(assigned(consumer)).toEqual([0, 1, 2]);
  });

  test('that leads joins again when the topic has got more partitions', async () => {
    group.assigned = null;
    const consumer = member({ 'metadata.max.age.ms': 5000 });
    await poll(consumer);
    cluster.leaders = [1, 1, 1, 1];
    await poll(consumer, 10_000);
    expect(assigned(consumer)).toEqual([0, 1, 2, 3]);
    expect(heard).toEqual(['assigned 0,1,2', 'revoked 0,1,2', 'assigned 0,1,2,3']);
  });

  test('commits and gives everything up before it joins again, within a poll', async () => {
    const consumer = member();
    await poll(consumer);
    consumer.seek('t', 0, 7);
    group.errors.push({ api: 'Heartbeat', code: ErrorCode.REBALANCE_IN_PROGRESS });
    group.assigned = [1];
    await time.advance(4000);
    // It is the application's turn: it may be at work on records.
    expect(heard).toEqual(['assigned 0']);
    await poll(consumer);
    expect(group.asked.filter(line => !line.startsWith('heartbeat'))).toEqual([
      "join as '' at 1 for t",
      'commit 0@7 as m1/1',
      "join as 'm1' at 1 for t",
    ]);
    expect(heard).toEqual(['assigned 0', 'revoked 0', 'assigned 1']);
  });

  test('of the cooperative kind keeps what stays its own, and joins once more for what it gives up', async () => {
    group.assigned = [0, 1];
    const consumer = member({ 'partition.assignment.strategy': 'cooperative-sticky' });
    await poll(consumer);
    consumer.seek('t', 0, 7);
    group.errors.push({ api: 'Heartbeat', code: ErrorCode.REBALANCE_IN_PROGRESS });
    group.assigned = [0];
    await poll(consumer, 5000);
    expect(heard).toEqual(['assigned 0,1', 'revoked 1', 'assigned ', 'assigned ']);
    const joins = group.asked.filter(line => line.startsWith('join'));
    expect(joins).toEqual([
      "join as '' at 1 for t",
      "join as 'm1' at 1 for t with 0,1",
      "join as 'm1' at 1 for t with 0",
    ]);
    expect(await consumer.position('t', 0)).toBe(7);
  });

  test('whom the group has given up loses its partitions, commits nothing, and joins as a new one', async () => {
    const consumer = member();
    await poll(consumer);
    consumer.seek('t', 0, 7);
    group.errors.push({ api: 'Heartbeat', code: ErrorCode.UNKNOWN_MEMBER_ID });
    await poll(consumer, 4000);
    expect(heard).toEqual(['assigned 0', 'lost 0', 'assigned 0']);
    expect(group.asked.filter(line => !line.startsWith('heartbeat'))).toEqual([
      "join as '' at 1 for t",
      "join as '' at 1 for t",
    ]);
  });

  test('that is not polled for max.poll.interval.ms leaves, and joins when it is polled again', async () => {
    const consumer = member({ 'max.poll.interval.ms': 10_000 });
    await poll(consumer);
    await time.advance(15_000);
    expect(group.asked.at(-1)).toBe('leave m1: consumer poll timeout has expired');
    expect(heard).toEqual(['assigned 0']);
    await poll(consumer);
    expect(heard).toEqual(['assigned 0', 'lost 0', 'assigned 0']);
  });

  test('a poll that waits for long is no reason to leave', async () => {
    const consumer = member({ 'max.poll.interval.ms': 10_000 });
    await poll(consumer, 30_000);
    expect(group.asked.filter(line => line.startsWith('leave'))).toEqual([]);
  });

  test('follows its coordinator', async () => {
    const consumer = member();
    await poll(consumer);
    group.coordinator = 2;
    group.errors.push({ api: 'Heartbeat', code: ErrorCode.NOT_COORDINATOR });
    await poll(consumer, 6500);
    const beats = cluster.calls.filter(({ api }) => api === 'Heartbeat').map(({ broker }) => broker);
    expect(beats).toEqual([1, 2]);
    cluster.down.add(2);
    group.coordinator = 1;
    await poll(consumer, 10_000);
    expect(cluster.calls.findLast(({ api }) => api === 'Heartbeat')!.broker).toBe(1);
    expect(heard).toEqual(['assigned 0']);
  });

  test('leaves when it is closed, after a last commit; a static one stays', async () => {
    const consumer = member();
    await poll(consumer);
    consumer.seek('t', 0, 7);
    await consumer.close();
    expect(group.asked.slice(1)).toEqual(['commit 0@7 as m1/1', 'leave m1: the consumer is being closed']);
    expect(heard).toEqual(['assigned 0', 'revoked 0']);
    const named = member({ 'group.instance.id': 'one' });
    await poll(named);
    group.asked.length = 0;
    await named.close();
    expect(group.asked.filter(line => line.startsWith('leave'))).toEqual([]);
  });

  test('that is closed while its group rebalances does not wait for the others', async () => {
    const consumer = member({ 'partition.assignment.strategy': 'cooperative-sticky' });
    await poll(consumer);
    consumer.seek('t', 0, 7);
    group.errors.push({ api: 'Heartbeat', code: ErrorCode.REBALANCE_IN_PROGRESS });
    cluster.on(JoinGroup, () => new Promise(() => {}));
    await poll(consumer, 5000);
    await consumer.close();
    expect(group.asked.slice(-2)).toEqual(['commit 0@7 as m1/1', 'leave m1: the consumer is being closed']);
    expect(heard).toEqual(['assigned 0', 'revoked 0']);
  });

  test('goes on with heartbeats while the group rebalances and its application is busy', async () => {
    const consumer = member();
    await poll(consumer);
    group.errors.push({ api: 'Heartbeat', code: ErrorCode.REBALANCE_IN_PROGRESS });
    await time.advance(60_000);
    expect(group.asked.filter(line => line === 'heartbeat 1')).toHaveLength(20);
    expect(heard).toEqual(['assigned 0']);
  });

  test('sends heartbeats of the new generation while the leader shares out', async () => {
    const consumer = member();
    cluster.on(SyncGroup, () => new Promise(() => {}));
    await poll(consumer, 9000);
    expect(group.asked.slice(1)).toEqual(['heartbeat 1', 'heartbeat 1', 'heartbeat 1']);
    expect(heard).toEqual([]);
  });

  test('of the cooperative kind reads on what it has while the others are waited for', async () => {
    group.values.set(0, ['a', 'b', 'c']);
    const consumer = member({ 'partition.assignment.strategy': 'cooperative-sticky', 'max.poll.records': 1 });
    const next = async () => {
      const polled = consumer.poll(1000);
      await time.advance(1000);
      return (await polled).map(({ value }) => value!.toString());
    };
    expect(await next()).toEqual(['a']);
    group.errors.push({ api: 'Heartbeat', code: ErrorCode.REBALANCE_IN_PROGRESS });
    await time.advance(3000);
    let answer!: () => void;
    const join = cluster.handlers.get('JoinGroup')!;
    cluster.on(JoinGroup, (request, broker) => new Promise(resolve => (answer = () => resolve(join(request, broker)))));
    expect(await next()).toEqual(['b']);
    // Its application is at work when the answer comes: partitions change hands at the next poll.
    group.assigned = [1];
    answer();
    await time.advance(0);
    expect(heard).toEqual(['assigned 0']);
    const polled = consumer.poll(0);
    await time.advance(0);
    expect(await polled).toEqual([]);
    expect(heard).toEqual(['assigned 0', 'revoked 0', 'assigned 1']);
  });

  test('whose topics cannot be looked up says so, and joins at a later poll', async () => {
    const consumer = member();
    cluster.on(Metadata, () => {
      throw new KafkaError(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
    });
    consumer.subscribe(/t/);
    const polled = consumer.poll(1000);
    const failed = expect(polled).rejects.toThrow('Not authorized for the cluster.');
    await time.advance(1000);
    await failed;
    cluster.handlers.delete('Metadata');
    cluster.topics = ['t', 'other'];
    const again = consumer.poll(1000);
    await time.advance(1001);
    expect(await again).toEqual([]);
    expect(assigned(consumer)).toEqual([0]);
  });

  test('that is turned away again and again does not ask in a hurry', async () => {
    const consumer = member();
    for (let i = 0; i < 100; i++) group.errors.push({ api: 'JoinGroup', code: ErrorCode.UNKNOWN_MEMBER_ID });
    const polled = consumer.poll(1000);
    await time.advance(1001);
    expect(await polled).toEqual([]);
    expect(group.asked.length).toBeGreaterThan(2);
    expect(group.asked.length).toBeLessThan(12);
  });

  test('an error that ends the membership is thrown by the next poll', async () => {
    const consumer = member();
    await poll(consumer);
    group.errors.push({ api: 'Heartbeat', code: ErrorCode.FENCED_INSTANCE_ID });
    const polled = consumer.poll(5000);
    const failed = expect(polled).rejects.toThrow('Another member has taken over this instance id.');
    await time.advance(5000);
    await failed;
  });
});

describe('commits', () => {
  test('happen by themselves every auto.commit.interval.ms, in polls, and only when there is news', async () => {
    const consumer = member();
    await poll(consumer);
    consumer.seek('t', 0, 7);
    await time.advance(5000);
    const commits = () => group.asked.filter(line => line.startsWith('commit'));
    expect(commits()).toEqual([]);
    await poll(consumer, 10);
    expect(commits()).toEqual(['commit 0@7 as m1/1']);
    await time.advance(5000);
    await poll(consumer, 10);
    expect(commits()).toHaveLength(1);
  });

  test('are tried again while the coordinator moves, and not when the partitions are somebody else’s', async () => {
    const consumer = member({ 'enable.auto.commit': false });
    await poll(consumer);
    group.errors.push({ api: 'OffsetCommit', code: ErrorCode.NOT_COORDINATOR });
    const done = consumer.commit([{ topic: 't', partition: 0, offset: 3 }]);
    await time.advance(1000);
    await done;
    expect(group.committed.get(0)).toBe(3);
    group.errors.push({ api: 'OffsetCommit', code: ErrorCode.ILLEGAL_GENERATION });
    await expect(consumer.commit([{ topic: 't', partition: 0, offset: 4 }])).rejects.toThrow(
      "t-0: The group's generation has moved on.",
    );
    expect(await consumer.committed([0, 1].map(partition => ({ topic: 't', partition })))).toEqual([
      { offset: 3, metadata: '', leaderEpoch: -1 },
      null,
    ]);
  });

  test('of a member that the group has gone on without are not made as nobody’s: an empty group would take them', async () => {
    const consumer = member({ 'max.poll.interval.ms': 10_000, 'enable.auto.commit': false });
    const offsets = [{ topic: 't', partition: 0, offset: 3 }];
    const refused = 'this consumer is in no generation of its group';
    await expect(consumer.commit(offsets)).rejects.toThrow(refused);
    await poll(consumer);
    await consumer.commit(offsets);
    await time.advance(15_000);
    await expect(consumer.commit([{ ...offsets[0]!, offset: 4 }])).rejects.toThrow(refused);
    expect(group.asked.filter(line => line.startsWith('commit'))).toEqual(['commit 0@3 as m1/1']);
  });

  test('need a group; partitions assigned by hand start where it stands', async () => {
    const parts = { connector: cluster, runtime: { clock: time.clock, timers: time.timers } };
    const alone = createConsumer({ 'bootstrap.servers': 'b:1' }, parts);
    expect(() => alone.subscribe(['t'])).toThrow('To subscribe, a consumer needs the setting group.id.');
    group.committed.set(1, 12);
    const consumer = createConsumer({ 'bootstrap.servers': 'b:1', 'group.id': 'g' }, parts);
    consumer.assign([{ topic: 't', partition: 1 }]);
    await poll(consumer);
    expect(await consumer.position('t', 1)).toBe(12);
    expect(() => consumer.subscribe(['t'])).toThrow('partitions were assigned to this consumer by hand');
  });
});
