import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer, serdes } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { run } from '../support/run.ts';

/** The SDK's serializers on a real broker, beside a foreign client and the console consumer, in both dialects. */

const CONSOLE_CONSUMER = join(import.meta.dirname, '../../bin/kafka-console-consumer');

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ brokers: 1 });
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  await admin.createTopics(['http2', 'kafka'].map(name => ({ name, partitions: 1, replicationFactor: 1 })));
  admin.close();
}, 60_000);

afterAll(async () => {
  await cluster?.stop();
});

describe.each(['http2', 'kafka'])('over %s', dialect => {
  const settings = () => ({
    'bootstrap.servers': cluster.bootstrap,
    'samsa.dialect': dialect,
    'auto.offset.reset': 'earliest',
  });
  const assigned = { topic: dialect, partition: 0 };

  test('keys, values and headers come back as what they were sent as', async () => {
    const acknowledged: number[] = [];
    const producer = createProducer(settings(), {
      keySerializer: serdes.long,
      valueSerializer: serdes.list(serdes.string),
      interceptors: [
        {
          onSend: record => ({ ...record, headers: [...(record.headers ?? []), { key: 'by', value: 'me' }] }),
          onAcknowledgement: ({ offset }) => void acknowledged.push(offset),
        },
      ],
    });
    await producer.send({ topic: dialect, key: 2n ** 60n, value: ['a', null, 'ü'] });
    await producer.send({ topic: dialect, key: -1n, value: null, headers: [{ key: 'none', value: null }] });
    await producer.close();
    expect(acknowledged).toEqual([0, 1]);
    const consumer = createConsumer(settings(), {
      keyDeserializer: serdes.long,
      valueDeserializer: serdes.list(serdes.string),
      interceptors: [{ onConsume: records => records.filter(({ key }) => key !== null) }],
    });
    consumer.assign([assigned]);
    const seen: unknown[] = [];
    for await (const { key, value, headers } of consumer) {
      seen.push([key, value, headers.map(header => `${header.key}=${String(header.value)}`)]);
      if (seen.length === 2) break;
    }
    await consumer.close();
    expect(seen).toEqual([
      [2n ** 60n, ['a', null, 'ü'], ['by=me']],
      [-1n, null, ['none=null', 'by=me']],
    ]);
  });

  test('the console consumer prints such keys', async () => {
    const { stdout } = await run(CONSOLE_CONSUMER, [
      ...['--bootstrap-server', cluster.bootstrap, '--topic', dialect, '--from-beginning', '--max-messages', '2'],
      ...['--property', 'print.key=true', '--property', 'print.value=false'],
      ...['--property', 'key.deserializer=org.apache.kafka.common.serialization.LongDeserializer'],
    ]);
    expect(stdout.split('\n').slice(0, 2)).toEqual([String(2n ** 60n), '-1']);
  });

  test('records of a foreign client that do not fit are told by their place, and can be passed over', async () => {
    const kafka = new Kafka({ brokers: [cluster.bootstrap], logLevel: logLevel.NOTHING });
    const foreign = kafka.producer();
    await foreign.connect();
    await foreign.send({
      topic: dialect,
      messages: [{ value: 'short' }, { value: Buffer.from('3ff8000000000000', 'hex') }],
    });
    await foreign.disconnect();
    const consumer = createConsumer(settings(), { valueDeserializer: serdes.double });
    consumer.assign([assigned]);
    consumer.seek(dialect, 0, 2);
    const failed = consumer.poll(10_000);
    await expect(failed).rejects.toThrow(
      `Error deserializing the value of ${dialect}-0@2: Size of data received by DoubleDeserializer is not 8 but 5 bytes`,
    );
    consumer.seek(dialect, 0, 3);
    expect((await consumer.poll(10_000)).map(({ value }) => value)).toEqual([1.5]);
    await consumer.close();
  });
});
