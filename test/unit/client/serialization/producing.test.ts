/* oxlint-disable typescript/no-explicit-any -- scripted answers */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  createProducer,
  serdes,
  type ProducerInterceptor,
  type ProducerRecord,
  type Serializer,
} from '../../../../client/index.ts';
import { Produce } from '../../../../shared/protocol/messages/produce.ts';
import { RecordCursor } from '../../../../shared/records/record-cursor.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { ScriptedCluster } from '../../../support/scripted-cluster.ts';

interface Arrived {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly string[];
}

let cluster: ScriptedCluster;
let arrived: Arrived[];
let warnings: string[];

beforeEach(() => {
  cluster = new ScriptedCluster();
  arrived = [];
  warnings = [];
  cluster.on(Produce, ({ topicData }) => ({
    responses: topicData.map(({ name, partitionData }: any) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }: any) => {
        const baseOffset = arrived.length;
        arrived.push(...recordsOf(records));
        return { index, errorCode: 0, baseOffset, logAppendTimeMs: -1, logStartOffset: 0, recordErrors: [] };
      }),
    })),
  }));
});

function recordsOf(batch: Buffer): Arrived[] {
  const cursor = new RecordCursor().reset(batch);
  const all: Arrived[] = [];
  while (cursor.next()) {
    const headers = cursor.headers().map(({ key, value }) => `${key}=${String(value)}`);
    all.push({ key: cursor.key()?.toString('hex') ?? null, value: cursor.value()?.toString('hex') ?? null, headers });
  }
  return all;
}

const logger = { ...silentLogger, warn: (_fields: unknown, text?: string) => void warnings.push(text!) };
const settings = { 'bootstrap.servers': 'b:1', 'enable.idempotence': false };
const surroundings = () => ({ connector: cluster, runtime: { logger } });

describe('serializers', () => {
  test('make the bytes of keys and values', async () => {
    const producer = createProducer(settings, {
      ...surroundings(),
      keySerializer: serdes.integer,
      valueSerializer: serdes.json<{ n: number }>(),
    });
    await producer.send({ topic: 't', key: 7, value: { n: 1 } });
    await producer.send({ topic: 't', value: null });
    await producer.close();
    expect(arrived).toEqual([
      { key: '00000007', value: Buffer.from('{"n":1}').toString('hex'), headers: [] },
      { key: null, value: null, headers: [] },
    ]);
  });

  test('of one’s own see the topic, and may add headers; the record keeps those it had', async () => {
    const closed: string[] = [];
    const versioned: Serializer<string> = {
      serialize(data, topic, headers) {
        headers.push({ key: 'schema', value: `${topic}-1` });
        return Buffer.from(data.toUpperCase());
      },
      close: () => void closed.push('value'),
    };
    const producer = createProducer(settings, { ...surroundings(), valueSerializer: versioned });
    const record = { topic: 't', key: 'k', value: 'v', headers: [{ key: 'a', value: 'b' }] };
    await producer.send(record);
    await producer.send(record);
    await producer.close();
    const sent = { key: '6b', value: '56', headers: ['a=b', 'schema=t-1'] };
    expect(arrived).toEqual([sent, sent]);
    expect(closed).toEqual(['value']);
  });

  test('refuse what does not fit, and only that', async () => {
    const producer = createProducer(settings, { ...surroundings(), keySerializer: serdes.short });
    const outcomes = await Promise.allSettled([
      producer.send({ topic: 't', key: 1, value: 'a' }),
      producer.send({ topic: 't', key: 40_000, value: 'b' }),
      producer.send({ topic: 't', key: 2, value: 'c' }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((outcomes[1] as PromiseRejectedResult).reason).toMatchObject({
      name: 'SerializationError',
      message: "Can't serialize the key of a record for topic t: a short is an integer from -32768 to 32767, not 40000",
    });
    await producer.close();
    expect(arrived.map(({ key }) => key)).toEqual(['0001', '0002']);
  });

  test('decide the partition by the key’s bytes, as Java’s client does', async () => {
    cluster.leaders = [1, 1, 1, 1, 1];
    const by = async (key: number | Buffer, parts: object) => {
      const producer = createProducer<any, any>(settings, { ...surroundings(), ...parts });
      const { partition } = await producer.send({ topic: 't', key, value: null });
      await producer.close();
      return partition;
    };
    for (const key of [1, 2, 77]) {
      const bytes = serdes.integer.serialize(key)!;
      expect(await by(key, { keySerializer: serdes.integer })).toBe(await by(bytes, {}));
    }
  });
});

describe('interceptors', () => {
  type Own = ProducerInterceptor<string, string>;
  const parts = (...interceptors: Own[]) => ({
    ...surroundings(),
    keySerializer: serdes.string as Serializer<string>,
    valueSerializer: serdes.string as Serializer<string>,
    interceptors,
  });
  const appending = (suffix: string): Own => ({
    onSend: record => ({ ...record, value: `${record.value}${suffix}` }),
  });
  const value = (text: string) => Buffer.from(text).toString('hex');

  test('each gets the record that the one before it made; one that throws is skipped and logged', async () => {
    const failing: Own = {
      onSend() {
        throw new Error('no');
      },
    };
    const producer = createProducer(settings, parts(appending('1'), failing, {}, appending('2')));
    await producer.send({ topic: 't', value: 'v' });
    await producer.close();
    expect(arrived.map(record => record.value)).toEqual([value('v12')]);
    expect(warnings).toEqual(['the onSend of a producer interceptor failed']);
  });

  test('hear how each record ended, before its sender does, also of one that was never sent', async () => {
    const heard: string[] = [];
    const listening: Own = {
      onAcknowledgement({ topic, partition, offset }, error) {
        heard.push(`${topic}-${partition}@${offset} ${error === null ? 'is there' : error.name}`);
        throw new Error('does not matter');
      },
      close: () => void heard.push('closed'),
    };
    const producer = createProducer(settings, parts(listening));
    await producer.send({ topic: 't', value: 'v' }).then(() => heard.push('sent'));
    const bad = { topic: 't', partition: 0, value: 5 } as unknown as ProducerRecord<string, string>;
    await producer.send(bad).catch(() => heard.push('failed'));
    await new Promise<void>(resolve => producer.send({ topic: 't', value: 'w' }, () => resolve()));
    await producer.close();
    expect(heard).toEqual([
      't-0@0 is there',
      'sent',
      't-0@-1 SerializationError',
      'failed',
      't-0@1 is there',
      'closed',
    ]);
    expect(warnings).toEqual(Array(3).fill('the onAcknowledgement of a producer interceptor failed'));
  });
});
