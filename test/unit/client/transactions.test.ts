import { beforeEach, describe, expect, test } from 'vitest';
import { createProducer, TransactionError, type Producer } from '../../../client/index.ts';
import { ConnectionError } from '../../../shared/connection/connection.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { ManualTime } from '../../support/manual-time.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { ScriptedCoordinator } from '../../support/scripted-coordinator.ts';
import { SequenceCheckingBroker } from '../../support/sequence-checking-broker.ts';

let time: ManualTime;
let cluster: ScriptedCluster;
let coordinator: ScriptedCoordinator;
let broker: SequenceCheckingBroker;

beforeEach(() => {
  time = new ManualTime();
  cluster = new ScriptedCluster();
  cluster.leaders = [1, 1, 1];
  coordinator = new ScriptedCoordinator(cluster);
  broker = new SequenceCheckingBroker(cluster);
});

type Parts = Pick<NonNullable<Parameters<typeof createProducer<string, string>>[1]>, 'valueSerializer'>;

function producer(settings: Record<string, unknown> = {}, parts: Parts = {}): Producer<string, string> {
  return createProducer<string, string>(
    { 'bootstrap.servers': 'b:1', 'transactional.id': 'tx', 'max.block.ms': 5_000, ...settings },
    { connector: cluster, runtime: { clock: time.clock, timers: time.timers }, ...parts },
  );
}

/** What became of something, once time has passed. */
function outcomeOf(promise: Promise<unknown>): { now: string } {
  const outcome = { now: 'pending' };
  promise.then(
    value => (outcome.now = value === undefined ? 'done' : JSON.stringify(value)),
    (error: unknown) => {
      const fate = error instanceof TransactionError ? (error.isFatal ? 'fatal ' : 'abortable ') : '';
      outcome.now = fate + ((error as { codeName?: string }).codeName ?? (error as Error).message);
    },
  );
  return outcome;
}

async function settled(promise: Promise<unknown>, ms = 1_000): Promise<string> {
  const outcome = outcomeOf(promise);
  await time.advance(ms);
  return outcome.now;
}

async function open(settings: Record<string, unknown> = {}, parts: Parts = {}): Promise<Producer<string, string>> {
  const p = producer(settings, parts);
  expect(await settled(p.initTransactions())).toBe('done');
  p.beginTransaction();
  return p;
}

const send = (p: Producer<string, string>, value: string, partition = 0) => p.send({ topic: 't', partition, value });
const failing = (api: string, ...codes: number[]) => {
  coordinator.onRequest = (name, n) => (name === api ? (codes[n - 1] ?? ErrorCode.NONE) : ErrorCode.NONE);
};
const group = { groupId: 'g', memberId: 'm', generationId: 3, groupInstanceId: null };

describe('a transaction', () => {
  test('tells the coordinator of partitions before their records leave, once each, and commits behind them', async () => {
    const p = await open();
    const order: string[] = [];
    broker.onArrival = ({ partition }) => {
      order.push(`produce ${partition} after ${coordinator.asked.length}`);
      return null;
    };
    void send(p, 'a', 0);
    void send(p, 'b', 1);
    await time.advance(10);
    void send(p, 'c', 0);
    void send(p, 'd', 2);
    expect(await settled(p.commitTransaction())).toBe('done');
    expect(coordinator.asked).toEqual([
      'InitProducerId -1/-1',
      'AddPartitionsToTxn t-0 t-1',
      'AddPartitionsToTxn t-2',
      'EndTxn commit',
    ]);
    expect(order.sort()).toEqual(['produce 0 after 2', 'produce 0 after 2', 'produce 1 after 2', 'produce 2 after 3']);
    expect(broker.arrivals.every(({ isTransactional }) => isTransactional)).toBe(true);
    expect(broker.log(0)).toEqual(['a', 'c']);
  });

  test('of nothing asks for nothing', async () => {
    const p = await open();
    expect(await settled(p.commitTransaction())).toBe('done');
    p.beginTransaction();
    expect(await settled(p.abortTransaction())).toBe('done');
    expect(coordinator.asked).toEqual(['InitProducerId -1/-1']);
  });

  test('numbers on where the one before stopped, and adds its partitions anew', async () => {
    const p = await open();
    void send(p, 'a');
    expect(await settled(p.commitTransaction())).toBe('done');
    p.beginTransaction();
    void send(p, 'b');
    expect(await settled(p.commitTransaction())).toBe('done');
    expect(broker.arrivals.map(({ epoch, sequence }) => `${epoch}/${sequence}`)).toEqual(['0/0', '0/1']);
    expect(coordinator.asked.filter(asked => asked === 'AddPartitionsToTxn t-0')).toHaveLength(2);
  });

  test('waits while the coordinator moves, loads or completes the one before, and when answers are lost', async () => {
    const p = await open();
    const { NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, CONCURRENT_TRANSACTIONS } = ErrorCode;
    coordinator.onRequest = (api, n) => {
      if (api === 'EndTxn' && n === 1) return Promise.reject(new ConnectionError('CLOSED', 'lost'));
      if (api !== 'AddPartitionsToTxn') return ErrorCode.NONE;
      return [NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, CONCURRENT_TRANSACTIONS][n - 1] ?? ErrorCode.NONE;
    };
    const sent = outcomeOf(send(p, 'a'));
    expect(await settled(p.commitTransaction(), 3_000)).toBe('done');
    expect(sent.now).toContain('"offset":0');
    expect(coordinator.asked.slice(1)).toEqual([
      ...Array.from({ length: 4 }, () => 'AddPartitionsToTxn t-0'),
      'EndTxn commit',
      'EndTxn commit',
    ]);
  });

  test('takes offsets of a group in, named by its generation', async () => {
    const p = await open();
    const sent = p.sendOffsetsToTransaction([{ topic: 't', partition: 0, offset: 7 }], group);
    expect(await settled(sent)).toBe('done');
    expect(await settled(p.commitTransaction())).toBe('done');
    expect(coordinator.asked.slice(1)).toEqual(['AddOffsetsToTxn g', 'TxnOffsetCommit g/3', 'EndTxn commit']);
  });
});

describe('an aborted transaction', () => {
  test('fails what has not left, and the next one begins clean', async () => {
    const p = await open({ 'linger.ms': 10_000 });
    const sent = outcomeOf(send(p, 'a'));
    await time.advance(10);
    expect(await settled(p.abortTransaction())).toBe('done');
    expect(sent.now).toBe('the transaction was aborted before the record was sent');
    expect(broker.arrivals).toEqual([]);
    expect(coordinator.asked.at(-1)).toBe('EndTxn abort');
    p.beginTransaction();
    void send(p, 'b');
    expect(await settled(p.commitTransaction())).toBe('done');
    expect(broker.log(0)).toEqual(['b']);
  });

  test('whose records failed gets a new epoch, in which numbers begin anew', async () => {
    const p = await open();
    void send(p, 'a');
    await time.advance(10);
    broker.onArrival = () => ({ errorCode: ErrorCode.INVALID_RECORD });
    const sent = outcomeOf(send(p, 'bad'));
    expect(await settled(p.commitTransaction())).toBe('abortable INVALID_RECORD');
    expect(sent.now).toBe('INVALID_RECORD');
    expect(await settled(send(p, 'late'))).toBe('abortable INVALID_RECORD');
    expect(await settled(p.abortTransaction())).toBe('done');
    expect(coordinator.asked.slice(-2)).toEqual(['EndTxn abort', 'InitProducerId 4000/0']);
    broker.onArrival = () => null;
    p.beginTransaction();
    void send(p, 'c');
    expect(await settled(p.commitTransaction())).toBe('done');
    expect(broker.arrivals.at(-1)).toMatchObject({ epoch: 1, sequence: 0, values: ['c'] });
  });

  test('leaves no gap open: one in the numbers is an error of the transaction', async () => {
    const p = await open({ 'batch.size': 1 });
    void send(p, 'a');
    await time.advance(10);
    broker.onArrival = ({ values }) =>
      values[0] === 'b' ? { errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER } : null;
    void send(p, 'b');
    void send(p, 'c');
    expect(await settled(p.commitTransaction())).toBe('abortable OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(await settled(p.abortTransaction())).toBe('done');
    expect(coordinator.epoch).toBe(1);
  });

  test('may be begun while a partition is being added', async () => {
    const p = await open();
    failing('AddPartitionsToTxn', ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.CONCURRENT_TRANSACTIONS);
    const sent = outcomeOf(send(p, 'a'));
    await time.advance(1);
    expect(await settled(p.abortTransaction())).toBe('done');
    expect(sent.now).toBe('the transaction was aborted before the record was sent');
    expect(coordinator.asked.at(-1)).toBe('EndTxn abort');
  });
});

describe('what goes wrong', () => {
  test.each([
    ['AddPartitionsToTxn', ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'abortable TOPIC_AUTHORIZATION_FAILED'],
    ['AddPartitionsToTxn', ErrorCode.PRODUCER_FENCED, 'fatal PRODUCER_FENCED'],
    ['AddPartitionsToTxn', ErrorCode.INVALID_TXN_STATE, 'fatal INVALID_TXN_STATE'],
    ['EndTxn', ErrorCode.PRODUCER_FENCED, 'fatal PRODUCER_FENCED'],
    ['EndTxn', ErrorCode.INVALID_PRODUCER_ID_MAPPING, 'abortable INVALID_PRODUCER_ID_MAPPING'],
    ['EndTxn', ErrorCode.TRANSACTION_ABORTABLE, 'abortable TRANSACTION_ABORTABLE'],
  ])('in %s with code %i is %s', async (api, code, expected) => {
    const p = await open();
    failing(api, code);
    void send(p, 'a');
    expect(await settled(p.commitTransaction())).toBe(expected);
    const isFatal = expected.startsWith('fatal');
    expect(await settled(p.abortTransaction())).toBe(isFatal ? expected : 'done');
    if (!isFatal) p.beginTransaction();
    else expect(() => p.beginTransaction()).toThrow(TransactionError);
  });

  test.each([
    ['AddOffsetsToTxn', ErrorCode.GROUP_AUTHORIZATION_FAILED, 'abortable GROUP_AUTHORIZATION_FAILED'],
    ['TxnOffsetCommit', ErrorCode.ILLEGAL_GENERATION, 'abortable ILLEGAL_GENERATION'],
    ['TxnOffsetCommit', ErrorCode.FENCED_INSTANCE_ID, 'abortable FENCED_INSTANCE_ID'],
    ['TxnOffsetCommit', ErrorCode.INVALID_PRODUCER_EPOCH, 'fatal INVALID_PRODUCER_EPOCH'],
  ])('with offsets, in %s with code %i is %s', async (api, code, expected) => {
    const p = await open();
    failing(api, code);
    expect(await settled(p.sendOffsetsToTransaction([{ topic: 't', partition: 0, offset: 7 }], group))).toBe(expected);
    expect(await settled(p.commitTransaction())).toBe(expected);
  });

  test.each([
    ['is too large', { value: 'x'.repeat(2_000) }, 'abortable MESSAGE_TOO_LARGE'],
    ['goes to a partition that there is not', { value: 'b', partition: 7 }, 'abortable UNKNOWN_TOPIC_OR_PARTITION'],
    ['goes to a topic that nobody knows', { topic: 'unknown', value: 'b' }, 'abortable UNKNOWN_TOPIC_OR_PARTITION'],
    ['cannot be serialized', { value: 'unspeakable' }, 'abortable UNKNOWN_SERVER_ERROR'],
    ['finds no memory', { value: 'x'.repeat(950) }, 'abortable REQUEST_TIMED_OUT'],
  ])('a record that %s breaks its transaction, though nobody looked at it', async (_, record, expected) => {
    const serialize = (value: string) => {
      if (value === 'unspeakable') throw new Error('no bytes for this');
      return Buffer.from(value);
    };
    const settings = { 'max.request.size': 1_000, 'buffer.memory': 1_500, 'max.block.ms': 500 };
    const p = await open(settings, { valueSerializer: { serialize } });
    cluster.knows = topic => topic !== 'unknown';
    broker.before = () => time.timers.sleep(700);
    void send(p, 'x'.repeat(800));
    void p.send({ topic: 't', partition: 0, ...record });
    void send(p, 'c');
    await time.advance(1_000);
    expect(await settled(p.commitTransaction())).toBe(expected);
    expect(await settled(p.abortTransaction())).toBe('done');
    broker.before = () => {};
    p.beginTransaction();
    void send(p, 'd');
    expect(await settled(p.commitTransaction())).toBe('done');
  });

  test('a fenced producer hears it at once, and aborting does not help', async () => {
    const p = producer();
    failing('InitProducerId', ErrorCode.PRODUCER_FENCED);
    expect(await settled(p.initTransactions())).toBe('fatal PRODUCER_FENCED');
    expect(await settled(p.abortTransaction())).toBe('fatal PRODUCER_FENCED');
  });

  test('a step that takes long is told so, and asking again brings its outcome, also when that was long ago', async () => {
    const p = await open();
    let let_go = (_: number) => {};
    coordinator.onRequest = api => (api === 'EndTxn' ? new Promise<number>(resolve => (let_go = resolve)) : 0);
    void send(p, 'a');
    expect(await settled(p.commitTransaction(), 6_000)).toBe('REQUEST_TIMED_OUT');
    expect(() => p.beginTransaction()).toThrow('committing');
    let_go(ErrorCode.NONE);
    await time.advance(60_000);
    expect(await settled(p.commitTransaction())).toBe('done');
    expect(coordinator.asked.filter(asked => asked.startsWith('EndTxn'))).toHaveLength(1);
    p.beginTransaction();
  });

  test('steps out of their order are refused with a sentence', async () => {
    const p = producer();
    expect(() => p.beginTransaction()).toThrow('cannot begin a transaction');
    expect(await settled(send(p, 'a'))).toContain('none is open');
    expect(await settled(p.initTransactions())).toBe('done');
    expect(await settled(p.commitTransaction())).toContain('cannot commit');
    p.beginTransaction();
    expect(() => p.beginTransaction()).toThrow('cannot begin a transaction');
    const plain = producer({ 'transactional.id': '' });
    expect(() => plain.beginTransaction()).toThrow('transactional.id');
  });

  test.each([
    [{ acks: '1' }, 'acks=all'],
    [{ 'enable.idempotence': false }, 'enable.idempotence=true'],
    [{ 'max.in.flight.requests.per.connection': 6 }, 'at most 5'],
  ])('settings that contradict are named: %o', (settings, what) => {
    expect(() => producer(settings)).toThrow(what);
  });
});

describe('transaction(work)', () => {
  test('initializes once, commits what work sent without awaiting, and returns what it returned', async () => {
    const p = producer();
    const run = (value: string) => p.transaction(tx => (void tx.send({ topic: 't', partition: 0, value }), value));
    expect(await settled(run('a'))).toBe('"a"');
    expect(await settled(run('b'))).toBe('"b"');
    expect(coordinator.asked.filter(asked => asked.startsWith('InitProducerId'))).toHaveLength(1);
    expect(coordinator.asked.filter(asked => asked === 'EndTxn commit')).toHaveLength(2);
    expect(broker.log(0)).toEqual(['a', 'b']);
  });

  test('aborts when work throws, and tells what it threw', async () => {
    const p = producer();
    const run = p.transaction(async tx => {
      await tx.send({ topic: 't', partition: 0, value: 'a' });
      throw new Error('of the work');
    });
    expect(await settled(run)).toBe('of the work');
    expect(coordinator.asked.at(-1)).toBe('EndTxn abort');
    expect(await settled(p.transaction(() => 1))).toBe('1');
  });

  test('aborts when a record fails that nobody looked at', async () => {
    const p = producer();
    broker.onArrival = () => ({ errorCode: ErrorCode.INVALID_RECORD });
    expect(await settled(p.transaction(tx => void tx.send({ topic: 't', partition: 0, value: 'a' })))).toBe(
      'abortable INVALID_RECORD',
    );
    expect(coordinator.asked.slice(-2)).toEqual(['EndTxn abort', 'InitProducerId 4000/0']);
  });

  test('is over when its work is: what comes later is refused', async () => {
    const p = producer();
    let kept: { send: (record: { topic: string; value: string }) => Promise<unknown> } | null = null;
    expect(await settled(p.transaction(tx => void (kept = tx)))).toBe('done');
    expect(await settled(kept!.send({ topic: 't', value: 'late' }))).toContain('the transaction is over');
  });
});
