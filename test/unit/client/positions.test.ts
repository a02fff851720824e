import { beforeEach, describe, expect, test } from 'vitest';
import { createConsumer, type Consumer } from '../../../client/index.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { ManualTime } from '../../support/manual-time.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { ScriptedGroup } from '../../support/scripted-group.ts';
import { scriptLogs } from '../../support/scripted-logs.ts';

/** Where an application stands, and what is committed of it. */

let time: ManualTime;
let cluster: ScriptedCluster;
let group: ScriptedGroup;

beforeEach(() => {
  time = new ManualTime();
  cluster = new ScriptedCluster();
  cluster.leaders = [1, 1];
  group = new ScriptedGroup(cluster);
});

const tp = (partition: number) => ({ topic: 't', partition });
const logs = (values: Parameters<typeof scriptLogs>[1]) => scriptLogs(cluster, values, () => time.timers.sleep(50));
const values = (count: number) => Array.from({ length: count }, (_, n) => Buffer.from(String(n)));

function consumerWith(settings: Record<string, unknown> = {}): Consumer {
  return createConsumer(
    {
      'bootstrap.servers': 'b:1',
      'group.id': 'g',
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': false,
      'check.crcs': false,
      'retry.backoff.ms': 100,
      ...settings,
    },
    { connector: cluster, runtime: { clock: time.clock, timers: time.timers } },
  );
}

/** A member that has been assigned what the script says, and stands at the beginning. */
async function member(settings: Record<string, unknown> = {}): Promise<Consumer> {
  const consumer = consumerWith(settings);
  consumer.subscribe(['t']);
  await during(consumer.poll(100));
  for (const { partition } of consumer.assignment()) consumer.seek('t', partition, 0);
  return consumer;
}

/** Awaits what has to happen within so many milliseconds. */
async function during<T>(promise: Promise<T>, ms = 1_000): Promise<T> {
  let isSettled = false;
  promise.finally(() => (isSettled = true)).catch(() => {});
  await time.advance(ms);
  if (!isSettled) throw new Error(`nothing has come of it within ${ms} ms`);
  return promise;
}

const commits = () => group.asked.filter(line => line.startsWith('commit')).map(line => line.split(' ')[1]);

describe('commits', () => {
  test('need not be awaited: a later one is not overtaken by the retry of an earlier one', async () => {
    const consumer = await member();
    group.errors.push({ api: 'OffsetCommit', code: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS });
    void consumer.commit([{ ...tp(0), offset: 5 }]);
    const later = consumer.commit([{ ...tp(0), offset: 9 }]);
    await during(later);
    expect(commits()).toEqual(['0@5', '0@5', '0@9']);
    expect(group.committed.get(0)).toBe(9);
  });

  test('that fail hold up none behind them, and harm nobody who does not look', async () => {
    const consumer = await member();
    group.errors.push({ api: 'OffsetCommit', code: ErrorCode.GROUP_AUTHORIZATION_FAILED });
    void consumer.commit([{ ...tp(0), offset: 5 }]);
    await during(consumer.commit([{ ...tp(0), offset: 9 }]));
    expect(group.committed.get(0)).toBe(9);
  });

  test('of before a rebalance do not go out in the name of the generation behind it', async () => {
    const consumer = await member();
    group.errors.push({ api: 'OffsetCommit', code: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS });
    void consumer.commit([{ ...tp(0), offset: 5 }]);
    group.errors.push({ api: 'Heartbeat', code: ErrorCode.REBALANCE_IN_PROGRESS });
    await during(consumer.poll(5_000), 5_000);
    expect(group.generation).toBe(2);
    expect(group.asked.filter(line => line.startsWith('commit'))).toEqual(Array(2).fill('commit 0@5 as m1/1'));
  });

  test('tell the leader epoch of what was read last; that of the group is kept until then', async () => {
    logs({ 0: values(3) });
    const consumer = await member();
    await during(consumer.poll(100));
    await during(consumer.commit());
    const request = cluster.calls.findLast(({ api }) => api === 'OffsetCommit')!.request as {
      topics: { partitions: object[] }[];
    };
    expect(request.topics[0]!.partitions[0]).toMatchObject({ committedOffset: 3, committedLeaderEpoch: 7 });
  });
});

describe('a for await', () => {
  beforeEach(() => {
    logs({ 0: values(5) });
  });

  test('commits what it has handed out, and not the rest of its poll', async () => {
    const consumer = await member();
    const loop = (async () => {
      for await (const { offset } of consumer) {
        if (offset === 1) return Promise.all([consumer.commit(), consumer.position('t', 0)]);
      }
      return [];
    })();
    expect((await during(loop))[1]).toBe(2);
    expect(group.committed.get(0)).toBe(2);
  });

  test('that is left and begun again loses nothing', async () => {
    const consumer = await member();
    const offsets: number[] = [];
    const read = async (count: number) => {
      let left = count;
      for await (const { offset } of consumer) {
        offsets.push(offset);
        if (--left === 0) break;
      }
    };
    await during(read(2));
    await during(read(3));
    expect(offsets).toEqual([0, 1, 2, 3, 4]);
  });

  test('goes where a seek in it says', async () => {
    const consumer = await member();
    const offsets: number[] = [];
    const loop = (async () => {
      for await (const { offset } of consumer) {
        offsets.push(offset);
        if (offsets.length === 2) consumer.seek('t', 0, 4);
        if (offset === 4) break;
      }
    })();
    await during(loop, 5_000);
    expect(offsets).toEqual([0, 1, 4]);
    expect(await consumer.position('t', 0)).toBe(5);
  });

  test('that ends with the consumer commits by itself what was handed out', async () => {
    const consumer = await member({ 'enable.auto.commit': true });
    const loop = (async () => {
      for await (const { offset } of consumer) {
        if (offset !== 2) continue;
        await consumer.close();
        break;
      }
    })();
    await during(loop);
    expect(group.committed.get(0)).toBe(3);
  });
});

describe('positions', () => {
  test('are where the group stands, also of partitions assigned by hand that nobody has polled for', async () => {
    group.committed.set(0, 42);
    const consumer = consumerWith();
    consumer.assign([tp(0)]);
    expect(await during(consumer.position('t', 0))).toBe(42);
  });

  test('may be kept elsewhere: a seek in the listener is what counts', async () => {
    group.committed.set(0, 1);
    logs({ 0: values(5) });
    const consumer = consumerWith();
    consumer.subscribe(['t'], { onPartitionsAssigned: () => consumer.seek('t', 0, 3) });
    const records = await during(consumer.poll(1_000));
    expect(records.map(({ offset }) => offset)).toEqual([3, 4]);
    expect(group.asked.some(line => line.startsWith('offsets'))).toBe(false);
  });

  test('are told in a listener, too', async () => {
    group.committed.set(0, 4);
    const told: number[] = [];
    const consumer = consumerWith();
    consumer.subscribe(['t'], { onPartitionsAssigned: async () => void told.push(await consumer.position('t', 0)) });
    await during(consumer.poll(100));
    expect(told).toEqual([4]);
  });

  test('that the group does not have are an error without auto.offset.reset', async () => {
    const consumer = consumerWith({ 'auto.offset.reset': 'none' });
    consumer.assign([tp(0)]);
    await expect(during(consumer.position('t', 0))).rejects.toMatchObject({ codeName: 'OFFSET_OUT_OF_RANGE' });
  });
});

describe('lag', () => {
  test('is known as soon as something was fetched, and shrinks as records are handed out', async () => {
    logs({ 0: values(5) });
    const consumer = await member({ 'max.poll.records': 2 });
    expect(consumer.currentLag('t', 0)).toBe(5);
    await during(consumer.poll(100));
    expect(consumer.currentLag('t', 0)).toBe(3);
    consumer.seek('t', 0, 9);
    expect(consumer.currentLag('t', 0)).toBe(0);
  });

  test('is not known before', () => {
    const consumer = consumerWith();
    consumer.assign([tp(0)]);
    expect(consumer.currentLag('t', 0)).toBeNull();
    expect(() => consumer.currentLag('t', 1)).toThrow('partition t-1 is not assigned to this consumer');
  });
});

describe('a poll', () => {
  test('hands out max.poll.records at most, of all partitions together', async () => {
    group.assigned = [0, 1];
    logs({ 0: values(5), 1: values(5) });
    const consumer = await member({ 'max.poll.records': 3 });
    const sizes: number[] = [];
    for (let n = 0; n < 4; n++) sizes.push((await during(consumer.poll(100))).length);
    expect(sizes).toEqual([3, 3, 3, 1]);
  });

  test('hands out nothing of paused partitions, and goes on with them when they are resumed', async () => {
    group.assigned = [0, 1];
    logs({ 0: values(2), 1: values(3) });
    const consumer = await member();
    consumer.pause([tp(1)]);
    expect(consumer.paused()).toEqual([tp(1)]);
    expect((await during(consumer.poll(100))).map(({ partition }) => partition)).toEqual([0, 0]);
    expect(await during(consumer.poll(100))).toEqual([]);
    consumer.resume([tp(1)]);
    expect(consumer.paused()).toEqual([]);
    expect((await during(consumer.poll(100))).map(({ partition }) => partition)).toEqual([1, 1, 1]);
  });
});
