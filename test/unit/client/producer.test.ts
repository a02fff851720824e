/* oxlint-disable typescript/no-explicit-any -- scripted answers */
import { beforeEach, describe, expect, test } from 'vitest';
import { createProducer, type KafkaError, type Producer } from '../../../client/index.ts';
import { Metadata } from '../../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../../shared/protocol/messages/produce.ts';
import { RecordCursor } from '../../../shared/records/record-cursor.ts';
import { ManualTime } from '../../support/manual-time.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';

let time: ManualTime;
let cluster: ScriptedCluster;

beforeEach(() => {
  time = new ManualTime();
  cluster = new ScriptedCluster();
});

function producer(settings: Record<string, unknown> = {}): Producer {
  return createProducer(
    { 'bootstrap.servers': 'b:1', ...settings },
    { connector: cluster, runtime: { clock: time.clock, timers: time.timers } },
  );
}

function values(records: Buffer): string[] {
  const cursor = new RecordCursor().reset(records);
  const all: string[] = [];
  while (cursor.next()) all.push(cursor.value()!.toString());
  return all;
}

interface Arrived {
  readonly broker: number;
  readonly partition: number;
  readonly values: string[];
}

/** Answers every produce as `answer` says, and keeps what arrived. */
function broker(answer: (arrived: Arrived, n: number) => { errorCode?: number } = () => ({})): Arrived[] {
  const log: Arrived[] = [];
  let nextOffset = 100;
  cluster.on(Produce, (request, id) => ({
    throttleTimeMs: 0,
    nodeEndpoints: [],
    responses: request.topicData.map(({ name, partitionData }: any) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }: any) => {
        const arrived = { broker: id, partition: index, values: values(records) };
        log.push(arrived);
        const { errorCode = 0 } = answer(arrived, log.length);
        const baseOffset = nextOffset;
        if (errorCode === 0) nextOffset += arrived.values.length;
        return {
          index,
          errorCode,
          baseOffset,
          logAppendTimeMs: -1,
          logStartOffset: 0,
          recordErrors: [],
          errorMessage: null,
        };
      }),
    })),
  }));
  return log;
}

describe('batching', () => {
  test('records of one turn travel together and are told their own offsets', async () => {
    const log = broker();
    const p = producer();
    const sent = ['a', 'b', 'c'].map(value => p.send({ topic: 't', value }));
    await time.advance(1);
    expect(log).toEqual([{ broker: 1, partition: 0, values: ['a', 'b', 'c'] }]);
    expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual([100, 101, 102]);
  });

  test('linger.ms holds a batch back, a full batch goes at once', async () => {
    const log = broker();
    const p = producer({ 'linger.ms': 50, 'batch.size': 1000 });
    p.send({ topic: 't', value: 'small' }, null);
    await time.advance(49);
    expect(log).toHaveLength(0);
    await time.advance(2);
    expect(log).toHaveLength(1);
    for (let i = 0; i < 3; i++) p.send({ topic: 't', value: 'x'.repeat(500) }, null);
    await time.advance(1);
    expect(log.length).toBeGreaterThan(1);
  });

  test('flush waits for what was sent before, and does not linger', async () => {
    broker();
    const p = producer({ 'linger.ms': 10_000 });
    let acknowledged = false;
    void p.send({ topic: 't', value: 'x' }).then(() => (acknowledged = true));
    const flushed = p.flush().then(() => acknowledged);
    await time.advance(10);
    expect(await flushed).toBe(true);
  });
});

describe('order and retries', () => {
  test('a batch that is retried is not overtaken by the next one of its partition', async () => {
    const log = broker((_, n) => (n <= 2 ? { errorCode: 7 } : {}));
    const p = producer({ 'batch.size': 100, 'enable.idempotence': false });
    for (let i = 0; i < 10; i++) p.send({ topic: 't', value: `value-${i}-${'x'.repeat(30)}` }, null);
    await time.advance(5_000);
    const written = log.slice(2).flatMap(arrived => arrived.values.map(value => Number(value.split('-')[1])));
    expect(written).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('a leader that moved is found through fresh metadata', async () => {
    const log = broker(({ broker: id }, n) => (id === 1 && n > 1 ? { errorCode: 6 } : {}));
    const p = producer();
    void p.send({ topic: 't', value: 'before' });
    await time.advance(10);
    cluster.leaders = [2];
    const sent = p.send({ topic: 't', value: 'after' });
    await time.advance(1_000);
    expect((await sent).offset).toBe(101);
    expect(log.map(arrived => arrived.broker)).toEqual([1, 1, 2]);
  });

  test('a leader that died is a reason to try again, too', async () => {
    broker();
    const p = producer();
    await Promise.all([p.send({ topic: 't', value: 'first' }), time.advance(10)]);
    cluster.down.add(1);
    const sent = p.send({ topic: 't', value: 'second' });
    await time.advance(500);
    cluster.leaders = [2];
    await time.advance(3_000);
    await expect(sent).resolves.toMatchObject({ partition: 0 });
  });

  test('waiting for a broker that is away does not use up the retries', async () => {
    broker();
    const p = producer({ retries: 1 });
    await Promise.all([p.send({ topic: 't', value: 'first' }), time.advance(10)]);
    cluster.down.add(1);
    const sent = p.send({ topic: 't', value: 'second' });
    await time.advance(20_000);
    cluster.down.delete(1);
    await time.advance(3_000);
    await expect(sent).resolves.toMatchObject({ offset: 101 });
  });

  test('a batch that the topic finds too large goes in smaller ones, in order, each record told its own fate', async () => {
    const log = broker(({ values: arrived }) => (arrived.length > 3 ? { errorCode: 10 } : {}));
    const p = producer();
    const sent = Array.from({ length: 10 }, (_, i) => p.send({ topic: 't', value: `v${i}` }));
    const flushed = p.flush();
    await time.advance(100);
    const offsets = (await Promise.all(sent)).map(({ offset }) => offset);
    expect(offsets).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109]);
    const written = log.filter(({ values: arrived }) => arrived.length <= 3).flatMap(({ values: arrived }) => arrived);
    expect(written).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8', 'v9']);
    await flushed;
  });

  test('an error that does not pass fails the batch at once', async () => {
    const log = broker(() => ({ errorCode: 10 }));
    const p = producer();
    const sent = p.send({ topic: 't', value: 'x' });
    await time.advance(10);
    await expect(sent).rejects.toMatchObject({ codeName: 'MESSAGE_TOO_LARGE' });
    expect(log).toHaveLength(1);
  });

  test('delivery.timeout.ms bounds all tries together', async () => {
    broker(() => ({ errorCode: 7 }));
    const p = producer({ 'delivery.timeout.ms': 2_000, 'request.timeout.ms': 500 });
    const sent = p.send({ topic: 't', value: 'x' });
    await time.advance(4_000);
    await expect(sent).rejects.toMatchObject({ codeName: 'REQUEST_TIMED_OUT' });
  });
});

describe('bounds', () => {
  test('a record larger than max.request.size is refused, and nothing else is harmed', async () => {
    broker();
    const p = producer({ 'max.request.size': 1000 });
    await expect(p.send({ topic: 't', value: 'x'.repeat(1001) })).rejects.toMatchObject({
      codeName: 'MESSAGE_TOO_LARGE',
    });
    const sent = p.send({ topic: 't', value: 'fine' });
    await time.advance(1);
    await expect(sent).resolves.toBeDefined();
  });

  test('buffer.memory holds records back until others are acknowledged, and fails them after max.block.ms', async () => {
    const release: (() => void)[] = [];
    const answers = broker();
    const answering = cluster.handlers.get('Produce')!;
    cluster.on(Produce, async (request, id) => {
      await new Promise<void>(resolve => release.push(resolve));
      return answering(request, id);
    });
    const p = producer({ 'buffer.memory': 3000, 'max.block.ms': 1_000, 'batch.size': 500 });
    const results: string[] = [];
    for (let i = 0; i < 4; i++) {
      p.send({ topic: 't', value: 'x'.repeat(900) }, error => results.push(error === null ? 'ok' : 'refused'));
    }
    expect(p.needsDrain).toBe(true);
    await time.advance(2_000);
    expect(results).toEqual(['refused']);
    expect(answers).toHaveLength(0);
    while (results.length < 4) {
      release.shift()?.();
      await time.advance(10);
    }
    expect(results.slice(1)).toEqual(['ok', 'ok', 'ok']);
  });

  test('max.block.ms counts from the call of send, for all records that wait, whether brokers refuse or are silent', async () => {
    for (const metadata of [() => ({ topics: [] }), () => new Promise(() => {})]) {
      cluster.on(Metadata, metadata);
      const p = producer({ 'max.block.ms': 1_000, 'retry.backoff.ms': 10, 'retry.backoff.max.ms': 50 });
      const told: string[] = [];
      for (let i = 0; i < 5; i++)
        p.send({ topic: 'unknown', value: String(i) }, error => told.push((error as KafkaError).codeName));
      await time.advance(900);
      expect(told).toEqual([]);
      await time.advance(200);
      expect(told).toEqual(Array(5).fill('REQUEST_TIMED_OUT'));
    }
  });

  test('an outcome that nobody looks at is no unhandled rejection', async () => {
    broker(() => ({ errorCode: 10 }));
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listener);
    void producer().send({ topic: 't', value: 'x' });
    await time.advance(10);
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });

  test('close fails what could not be delivered in its time', async () => {
    cluster.on(Produce, () => new Promise(() => {}));
    const p = producer();
    const sent = p.send({ topic: 't', value: 'x' });
    const closed = p.close(1_000);
    await time.advance(2_000);
    await closed;
    await expect(sent).rejects.toThrow(/closed before/);
    await expect(p.send({ topic: 't', value: 'y' })).rejects.toThrow(/is closed/);
  });

  test('a bad setting is one sentence that names key, value and what is allowed', () => {
    expect(() => producer({ acks: 'some' })).toThrow('Invalid value some for acks: allowed is one of all, -1, 0, 1.');
    expect(() => createProducer({ 'bootstrap.servers': 'nowhere' })).toThrow(
      /Invalid address nowhere in bootstrap.servers/,
    );
  });
});
