import { beforeEach, describe, expect, test } from 'vitest';
import { createProducer, type Producer } from '../../../client/index.ts';
import { ConnectionError } from '../../../shared/connection/connection.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { InitProducerId } from '../../../shared/protocol/messages/init-producer-id.ts';
import { ManualTime } from '../../support/manual-time.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { SequenceCheckingBroker } from '../../support/sequence-checking-broker.ts';

let time: ManualTime;
let cluster: ScriptedCluster;
let broker: SequenceCheckingBroker;

beforeEach(() => {
  time = new ManualTime();
  cluster = new ScriptedCluster();
  broker = new SequenceCheckingBroker(cluster);
});

/** A producer of one record a batch. */
function producer(settings: Record<string, unknown> = {}): Producer {
  return createProducer(
    { 'bootstrap.servers': 'b:1', 'batch.size': 1, ...settings },
    { connector: cluster, runtime: { clock: time.clock, timers: time.timers } },
  );
}

/** Sends numbered records; collects the offset or the error of each. */
function sendAll(p: Producer, from: number, to: number): (number | string)[] {
  const outcomes: (number | string)[] = [];
  for (let i = from; i < to; i++) {
    p.send({ topic: 't', partition: 0, value: String(i) }, (error, metadata) => {
      outcomes[i - from] =
        error === null ? metadata!.offset : ((error as { codeName?: string }).codeName ?? error.message);
    });
  }
  return outcomes;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));
const stamps = () => broker.arrivals.map(({ epoch, sequence }) => `${epoch}/${sequence}`);
const lost = () => Promise.reject(new ConnectionError('CLOSED', 'lost'));

describe('an idempotent producer', () => {
  test('numbers its records and has up to five batches of a partition on the way', async () => {
    const answers: (() => void)[] = [];
    broker.after = () => new Promise<void>(resolve => answers.push(resolve));
    const p = producer();
    const outcomes = sendAll(p, 0, 8);
    await time.advance(100);
    // Until the first one is acknowledged, the broker may not know the producer.
    expect(stamps()).toEqual(['0/0']);
    answers[0]!();
    await time.advance(1);
    expect(stamps()).toEqual(['0/0', '0/1', '0/2', '0/3', '0/4', '0/5']);
    // Counted from the oldest that is open: the broker remembers no more.
    answers[5]!();
    await time.advance(1);
    expect(stamps()).toHaveLength(6);
    answers[1]!();
    await time.advance(1);
    expect(stamps()).toHaveLength(7);
    expect(Object.values(outcomes)).toEqual([0, 1, 5]);
  });

  test('without idempotence there are no numbers, and one batch of a partition at a time', async () => {
    broker.after = () => new Promise<void>(() => {});
    const p = producer({ 'enable.idempotence': false });
    sendAll(p, 0, 3);
    await time.advance(100);
    expect(stamps()).toEqual(['-1/-1']);
    expect(cluster.calls.some(({ api }) => api === 'InitProducerId')).toBe(false);
  });

  test('whose answers are lost sends the same numbers again, and is told the first offsets', async () => {
    let answers = 0;
    broker.after = () => (++answers <= 5 ? lost() : undefined);
    const outcomes = sendAll(producer(), 0, 7);
    await time.advance(5_000);
    expect(outcomes).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(broker.log()).toEqual(numbers(0, 7));
    expect(broker.arrivals.length).toBeGreaterThan(7);
    expect(new Set(broker.arrivals.map(({ epoch }) => epoch))).toEqual(new Set([0]));
  });

  test('without idempotence the same loss makes duplicates', async () => {
    let answers = 0;
    broker.after = () => (++answers <= 2 ? lost() : undefined);
    sendAll(producer({ 'enable.idempotence': false }), 0, 2);
    await time.advance(5_000);
    expect(broker.log()).toEqual(['0', '0', '0', '1']);
  });

  test('whose request is lost sends what came after it once more, in order', async () => {
    let requests = 0;
    broker.before = () => (++requests === 2 ? lost() : undefined);
    const outcomes = sendAll(producer(), 0, 8);
    await time.advance(5_000);
    expect(broker.log()).toEqual(numbers(0, 8));
    expect(outcomes).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(broker.arrivals.map(({ epoch }) => epoch))).toEqual(new Set([0]));
  });

  test('keeps partitions apart', async () => {
    cluster.leaders = [1, 2];
    const p = producer();
    for (let i = 0; i < 6; i++) p.send({ topic: 't', partition: i % 2, value: String(i) }, null);
    await time.advance(100);
    expect(broker.arrivals.map(({ partition, sequence }) => [partition, sequence]).sort()).toEqual(
      [0, 1].flatMap(partition => [0, 1, 2].map(sequence => [partition, sequence])),
    );
  });

  test('finds a leader that moved, numbers going on', async () => {
    const p = producer();
    sendAll(p, 0, 3);
    await time.advance(100);
    cluster.leaders = [2];
    const outcomes = sendAll(p, 3, 6);
    await time.advance(5_000);
    expect(outcomes).toEqual([3, 4, 5]);
    expect(broker.log()).toEqual(numbers(0, 6));
  });
});

describe('a batch that fails for good', () => {
  test('because the broker refuses it: those behind it go on under the next epoch', async () => {
    broker.onArrival = ({ values }) => (values[0] === '1' ? { errorCode: ErrorCode.INVALID_RECORD } : null);
    const p = producer();
    const outcomes = sendAll(p, 0, 5);
    await time.advance(5_000);
    expect(outcomes).toEqual([0, 'INVALID_RECORD', 1, 2, 3]);
    expect(broker.log()).toEqual(['0', '2', '3', '4']);
    expect(broker.arrivals.filter(({ epoch }) => epoch === 1).map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
    sendAll(p, 5, 6);
    await time.advance(100);
    expect(stamps().at(-1)).toBe('1/3');
  });

  test('behind one whose answer was lost: that one keeps its numbers, so that it is not written again', async () => {
    broker.onArrival = ({ values }) => (values[0] === '2' ? { errorCode: ErrorCode.INVALID_RECORD } : null);
    let answers = 0;
    broker.after = () => (++answers === 2 ? lost() : undefined);
    const outcomes = sendAll(producer(), 0, 5);
    await time.advance(5_000);
    expect(broker.log()).toEqual(['0', '1', '3', '4']);
    expect(outcomes).toEqual([0, 1, 'INVALID_RECORD', 2, 3]);
  });

  test('because time is up, having been appended: the numbers go on', async () => {
    broker.after = lost;
    const p = producer({ 'delivery.timeout.ms': 1_000, 'request.timeout.ms': 100 });
    const first = sendAll(p, 0, 1);
    await time.advance(3_000);
    expect(first).toEqual(['REQUEST_TIMED_OUT']);
    broker.after = () => {};
    const second = sendAll(p, 1, 3);
    await time.advance(3_000);
    expect(second).toEqual([1, 2]);
    expect(broker.log()).toEqual(numbers(0, 3));
  });

  test('because time is up, not having been appended: the next epoch begins', async () => {
    broker.onArrival = () => ({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS });
    const p = producer({ 'delivery.timeout.ms': 1_000, 'request.timeout.ms': 100 });
    const first = sendAll(p, 0, 2);
    await time.advance(3_000);
    expect(first).toEqual(['REQUEST_TIMED_OUT', 'REQUEST_TIMED_OUT']);
    broker.onArrival = () => null;
    broker.arrivals.length = 0;
    const second = sendAll(p, 2, 4);
    await time.advance(3_000);
    expect(second).toEqual([0, 1]);
    expect(stamps()).toEqual(['1/0', '1/1']);
  });

  test('after its retries: those behind it are sent again under the next epoch', async () => {
    broker.onArrival = ({ values }) => (values[0] === '0' ? { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS } : null);
    const outcomes = sendAll(producer({ retries: 2 }), 0, 3);
    await time.advance(10_000);
    expect(outcomes).toEqual(['NOT_ENOUGH_REPLICAS', 0, 1]);
    expect(broker.log()).toEqual(['1', '2']);
  });
});

describe('answers about numbers', () => {
  test('a gap that the broker sees where there is none: the open batches begin anew under the next epoch', async () => {
    const p = producer();
    sendAll(p, 0, 2);
    await time.advance(100);
    broker.onArrival = ({ epoch }) => (epoch === 0 ? { errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER } : null);
    broker.arrivals.length = 0;
    const outcomes = sendAll(p, 2, 5);
    await time.advance(5_000);
    expect(outcomes).toEqual([2, 3, 4]);
    expect(stamps().filter(stamp => stamp.startsWith('1'))).toEqual(['1/0', '1/1', '1/2']);
  });

  test('a producer that is not known any more begins anew (brokers before 2.5)', async () => {
    const p = producer();
    sendAll(p, 0, 2);
    await time.advance(100);
    broker.onArrival = ({ epoch }) => (epoch === 0 ? { errorCode: ErrorCode.UNKNOWN_PRODUCER_ID } : null);
    const outcomes = sendAll(p, 2, 5);
    await time.advance(5_000);
    expect(outcomes).toEqual([2, 3, 4]);
    expect(broker.log()).toEqual(numbers(0, 5));
  });

  test('a duplicate of which the broker has forgotten the offset is fine', async () => {
    broker.onArrival = () => ({ errorCode: ErrorCode.DUPLICATE_SEQUENCE_NUMBER });
    const outcomes = sendAll(producer(), 0, 1);
    await time.advance(100);
    expect(outcomes).toEqual([-1]);
  });

  test('a batch that is too large goes in parts with the numbers it had', async () => {
    broker.onArrival = ({ values }) => (values.length > 3 ? { errorCode: ErrorCode.MESSAGE_TOO_LARGE } : null);
    const outcomes = sendAll(producer({ 'batch.size': 16_384 }), 0, 10);
    await time.advance(5_000);
    expect(outcomes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(broker.log()).toEqual(numbers(0, 10));
    expect(new Set(broker.arrivals.map(({ epoch }) => epoch))).toEqual(new Set([0]));
  });

  test('epochs that are used up: a new producer id is asked for', async () => {
    let given = 0;
    cluster.on(InitProducerId, () => ({ errorCode: 0, producerId: ++given, producerEpoch: 32_767 }));
    broker.onArrival = ({ producerId }) => (producerId === 1 ? { errorCode: ErrorCode.UNKNOWN_PRODUCER_ID } : null);
    const outcomes = sendAll(producer(), 0, 3);
    await time.advance(5_000);
    expect(given).toBe(2);
    expect(outcomes).toEqual([0, 1, 2]);
    expect(broker.log()).toEqual(numbers(0, 3));
  });
});

describe('the producer id', () => {
  test('is asked for again while the coordinator is not ready', async () => {
    let asked = 0;
    cluster.on(InitProducerId, () =>
      ++asked < 4
        ? { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, producerId: -1, producerEpoch: -1 }
        : { errorCode: 0, producerId: 5, producerEpoch: 0 },
    );
    const outcomes = sendAll(producer(), 0, 2);
    await time.advance(5_000);
    expect(asked).toBe(4);
    expect(outcomes).toEqual([0, 1]);
  });

  test('that is refused fails everything, with the reason', async () => {
    cluster.on(InitProducerId, () => ({
      errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
      producerId: -1,
      producerEpoch: -1,
    }));
    const p = producer();
    const outcomes = sendAll(p, 0, 2);
    await time.advance(100);
    const later = sendAll(p, 2, 3);
    await time.advance(100);
    expect([...outcomes, ...later]).toEqual(Array(3).fill('CLUSTER_AUTHORIZATION_FAILED'));
  });

  test('that the broker cannot give is one sentence with the way out', async () => {
    cluster.on(InitProducerId, () => {
      throw new ConnectionError('UNSUPPORTED_VERSION', 'broker-1 does not serve InitProducerId');
    });
    const sent = producer().send({ topic: 't', value: 'x' });
    await time.advance(100);
    await expect(sent).rejects.toThrow(
      'broker-1 does not serve InitProducerId: without idempotent producers, enable.idempotence must be false',
    );
  });

  test('that nobody answers fails records after delivery.timeout.ms', async () => {
    cluster.on(InitProducerId, () => new Promise(() => {}));
    const outcomes = sendAll(producer({ 'delivery.timeout.ms': 2_000 }), 0, 1);
    await time.advance(3_000);
    expect(outcomes).toEqual(['REQUEST_TIMED_OUT']);
  });
});

describe('settings that contradict idempotence', () => {
  test.each([
    [{ acks: '1' }, 'enable.idempotence=true needs acks=all, but acks is 1.'],
    [{ acks: 0 }, 'enable.idempotence=true needs acks=all, but acks is 0.'],
    [{ retries: 0 }, 'enable.idempotence=true needs retries above 0, but retries is 0.'],
    [
      { 'max.in.flight.requests.per.connection': 6 },
      'enable.idempotence=true needs max.in.flight.requests.per.connection of at most 5, but it is 6.',
    ],
  ])('%o', async (settings, sentence) => {
    expect(() => producer({ 'enable.idempotence': true, ...settings })).toThrow(sentence);
    expect(() => producer({ 'enable.idempotence': 'true', ...settings })).toThrow(sentence);
    sendAll(producer(settings), 0, 1);
    await time.advance(100);
    expect(stamps()).toEqual(['-1/-1']);
  });
});

describe('on a network that loses, delays and reorders', () => {
  test('every record is written once and in order, whatever leads', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const outcomes = await chaos(seed, { 'batch.size': 60, 'delivery.timeout.ms': 1_000_000 }, 200);
      expect(broker.log().join(' '), `seed ${seed}`).toBe(numbers(0, 200).join(' '));
      expect(outcomes.join(' '), `seed ${seed}`).toBe(numbers(0, 200).join(' '));
    }
  });

  test('with little patience some records fail; those acknowledged are there once, in order, where they were said to be', async () => {
    let failed = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const outcomes = await chaos(
        seed,
        { 'batch.size': 60, 'delivery.timeout.ms': 400, 'request.timeout.ms': 80 },
        200,
      );
      const log = broker.log();
      expect(new Set(log).size, `seed ${seed}`).toBe(log.length);
      expect(log, `seed ${seed}`).toEqual([...log].sort((a, b) => Number(a) - Number(b)));
      for (const [i, outcome] of outcomes.entries()) {
        if (typeof outcome === 'number') expect(log[outcome], `seed ${seed}`).toBe(String(i));
        else failed++;
      }
    }
    expect(failed).toBeGreaterThan(50);
  });

  test('records that are refused for good hold no others up, and none is written again for their sake', async () => {
    const isRefused = (value: string) => Number(value) % 7 === 3;
    const kept = numbers(0, 200).filter(value => !isRefused(value));
    for (let seed = 1; seed <= 40; seed++) {
      const settings = { 'batch.size': 1, 'delivery.timeout.ms': 1_000_000 };
      const outcomes = await chaos(seed, settings, 200, isRefused);
      expect(broker.log().join(' '), `seed ${seed}`).toBe(kept.join(' '));
      expect(
        outcomes.filter(outcome => typeof outcome === 'number'),
        `seed ${seed}`,
      ).toEqual([...kept.keys()]);
    }
  });

  async function chaos(
    seed: number,
    settings: Record<string, unknown>,
    count: number,
    isRefused: (value: string) => boolean = () => false,
  ) {
    time = new ManualTime();
    cluster = new ScriptedCluster();
    broker = new SequenceCheckingBroker(cluster);
    const random = seededRandom(seed);
    const chance = (share: number) => random.float() < share;
    let inTrouble = true;
    const wait = () => time.timers.sleep(1 + random.int(40));
    broker.before = () => (inTrouble && chance(0.15) ? wait().then(lost) : undefined);
    broker.after = async () => {
      await wait();
      if (inTrouble && chance(0.15)) await lost();
    };
    broker.onArrival = ({ values }) => {
      if (values.some(isRefused)) return { errorCode: ErrorCode.INVALID_RECORD };
      if (inTrouble && chance(0.03)) cluster.leaders = [3 - cluster.leaders[0]!];
      return inTrouble && chance(0.05) ? { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS } : null;
    };
    const p = createProducer(
      { 'bootstrap.servers': 'b:1', ...settings },
      { connector: cluster, runtime: { clock: time.clock, timers: time.timers, random } },
    );
    const outcomes: (number | string)[] = [];
    for (let i = 0; i < count; i++) {
      p.send({ topic: 't', partition: 0, value: String(i) }, (error, metadata) => {
        outcomes[i] = error === null ? metadata!.offset : error.message;
      });
      if (chance(0.3)) await time.advance(random.int(20));
    }
    await time.advance(2_000);
    inTrouble = false;
    await time.advance(60_000);
    return outcomes;
  }
});
