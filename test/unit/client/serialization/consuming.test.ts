import { beforeEach, describe, expect, test } from 'vitest';
import {
  createConsumer,
  RecordDeserializationError,
  serdes,
  type ConsumerInterceptor,
  type Deserializer,
} from '../../../../client/index.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { ScriptedCluster } from '../../../support/scripted-cluster.ts';
import { ScriptedGroup } from '../../../support/scripted-group.ts';
import { scriptLogs } from '../../../support/scripted-logs.ts';

let cluster: ScriptedCluster;
let warnings: string[];
const logger = { ...silentLogger, warn: (_fields: unknown, text?: string) => void warnings.push(text!) };
const settings = { 'bootstrap.servers': 'b:1', 'auto.offset.reset': 'earliest', 'check.crcs': false };
const surroundings = () => ({ connector: cluster, runtime: { logger } });

beforeEach(() => {
  cluster = new ScriptedCluster();
  warnings = [];
});

const logs = (values: Parameters<typeof scriptLogs>[1]) => scriptLogs(cluster, values);
const short = (value: number) => serdes.short.serialize(value)!;
const BAD = Buffer.from('bad');

describe('deserializers', () => {
  test('make keys and values of the bytes, and see topic and headers', async () => {
    logs({ 0: [short(1), null] });
    const seen: string[] = [];
    let closed = 0;
    const own: Deserializer<string> = {
      deserialize(data, topic, headers) {
        seen.push(`${topic} ${headers.map(({ key, value }) => `${key}=${String(value)}`).join()}`);
        return `<${String(data)}>`;
      },
      close() {
        closed++;
      },
    };
    const consumer = createConsumer(settings, {
      ...surroundings(),
      keyDeserializer: own,
      valueDeserializer: serdes.short,
    });
    consumer.assign([{ topic: 't', partition: 0 }]);
    consumer.seek('t', 0, 0);
    const records = await consumer.poll(1000);
    expect(records.map(({ key, value, offset }) => [offset, key, value])).toEqual([
      [0, '<k>', 1],
      [1, '<k>', null],
    ]);
    expect(seen).toEqual(['t h=x', 't h=x']);
    await consumer.close();
    expect(closed).toBe(1);
  });

  test('what one does not take stops its partition at the record, until a seek goes past it', async () => {
    logs({ 0: [short(1), BAD, short(3)] });
    const consumer = createConsumer(settings, { ...surroundings(), valueDeserializer: serdes.short });
    consumer.assign([{ topic: 't', partition: 0 }]);
    consumer.seek('t', 0, 0);
    expect((await consumer.poll(1000)).map(({ value }) => value)).toEqual([1]);
    for (let time = 0; time < 2; time++) {
      const error = await consumer.poll(1000).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RecordDeserializationError);
      expect(error).toMatchObject({
        message:
          'Error deserializing the value of t-0@1: Size of data received by ShortDeserializer is not 2 but 3 bytes. ' +
          'If needed, please seek past the record to continue consumption.',
        topic: 't',
        partition: 0,
        offset: 1,
        origin: 'value',
        record: { offset: 1, key: Buffer.from('k'), value: BAD },
      });
      expect(await consumer.position('t', 0)).toBe(1);
    }
    consumer.seek('t', 0, 2);
    expect((await consumer.poll(1000)).map(({ value }) => value)).toEqual([3]);
    await consumer.close();
  });

  test('the first record of all is no exception: the poll that meets it throws at once', async () => {
    logs({ 0: [BAD] });
    const consumer = createConsumer(settings, { ...surroundings(), keyDeserializer: serdes.uuid });
    consumer.assign([{ topic: 't', partition: 0 }]);
    consumer.seek('t', 0, 0);
    await expect(consumer.poll(2 ** 31 - 1)).rejects.toThrow('Error deserializing the key of t-0@0');
    await consumer.close();
  });

  test('records of other partitions that came with it are not lost', async () => {
    cluster.leaders = [1, 1];
    logs({ 0: [short(1)], 1: [BAD] });
    const consumer = createConsumer(settings, { ...surroundings(), valueDeserializer: serdes.short });
    consumer.assign([0, 1].map(partition => ({ topic: 't', partition })));
    consumer.seek('t', 0, 0);
    consumer.seek('t', 1, 0);
    expect((await consumer.poll(1000)).map(({ value }) => value)).toEqual([1]);
    await expect(consumer.poll(1000)).rejects.toThrow('t-1@0');
    expect(await Promise.all([0, 1].map(partition => consumer.position('t', partition)))).toEqual([1, 0]);
    await consumer.close();
  });
});

describe('interceptors', () => {
  type Own = ConsumerInterceptor<Buffer | null, number | null>;

  test('each gets what the one before it made of the records; one that throws is skipped and logged', async () => {
    logs({ 0: [short(1), short(2), short(3)] });
    const odd: Own = { onConsume: records => records.filter(({ value }) => value! % 2 === 1) };
    const failing: Own = {
      onConsume() {
        throw new Error('no');
      },
    };
    const tenfold: Own = { onConsume: records => records.map(record => ({ ...record, value: record.value! * 10 })) };
    const consumer = createConsumer(settings, {
      ...surroundings(),
      valueDeserializer: serdes.short,
      interceptors: [odd, failing, {}, tenfold],
    });
    consumer.assign([{ topic: 't', partition: 0 }]);
    consumer.seek('t', 0, 0);
    expect((await consumer.poll(1000)).map(({ value }) => value)).toEqual([10, 30]);
    expect(await consumer.position('t', 0)).toBe(3);
    expect(warnings).toEqual(['the onConsume of a consumer interceptor failed']);
    await consumer.close();
  });

  test('hear what has been committed, by whomever, and of the end', async () => {
    const group = new ScriptedGroup(cluster);
    const heard: string[] = [];
    const listening: Own = {
      onCommit: offsets => void heard.push(offsets.map(({ partition, offset }) => `${partition}@${offset}`).join()),
      close() {
        heard.push('closed');
        throw new Error('does not matter');
      },
    };
    const consumer = createConsumer(
      { ...settings, 'group.id': 'g' },
      { ...surroundings(), valueDeserializer: serdes.short, interceptors: [listening] },
    );
    consumer.subscribe(['t']);
    await consumer.poll(100);
    await consumer.commit([{ topic: 't', partition: 0, offset: 5 }]);
    consumer.seek('t', 0, 7);
    group.errors.push({ api: 'OffsetCommit', code: 22 });
    await expect(consumer.commit()).rejects.toThrow();
    await consumer.close();
    // The last one is the automatic commit of the one who leaves.
    expect(heard).toEqual(['0@5', '0@7', 'closed']);
    expect(warnings).toContain('an interceptor or a serializer could not be closed');
  });
});
