import { describe, expect, test } from 'vitest';
import { OutputBuffer } from '../../../../admin-cli/format/output-buffer.ts';
import { recordFormatter } from '../../../../admin-cli/format/record-formatter.ts';
import type { ConsumerRecord } from '../../../../client/index.ts';

const RECORD: ConsumerRecord = {
  topic: 't',
  partition: 0,
  offset: 12,
  timestamp: 1700000000000,
  timestampType: 'CreateTime',
  leaderEpoch: 0,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers: [],
};

function format(
  properties: Record<string, string>,
  record: Partial<ConsumerRecord> = {},
  name = 'DefaultMessageFormatter',
): string {
  const output = new OutputBuffer();
  recordFormatter(name, properties)({ ...RECORD, ...record }, output);
  return output.take().toString();
}

const ALL = {
  'print.timestamp': 'true',
  'print.partition': 'true',
  'print.offset': 'true',
  'print.headers': 'true',
  'print.key': 'true',
};

describe('the default formatter', () => {
  test.each<[Record<string, string>, Partial<ConsumerRecord>, string]>([
    [{}, {}, 'v\n'],
    [{}, { value: null }, 'null\n'],
    [{ 'null.literal': '∅' }, { value: null }, '∅\n'],
    [{ 'print.key': 'true' }, {}, 'k\tv\n'],
    [{ 'print.key': 'true' }, { key: null }, 'null\tv\n'],
    [{ 'print.key': 'TRUE ', 'key.separator': ' => ' }, {}, 'k => v\n'],
    [{ 'print.value': 'false', 'print.key': 'true' }, {}, 'k\n'],
    [{ 'print.value': 'false' }, {}, ''],
    [{ 'line.separator': '|' }, {}, 'v|'],
    [ALL, {}, 'CreateTime:1700000000000\tPartition:0\tOffset:12\tNO_HEADERS\tk\tv\n'],
    [{ 'print.timestamp': 'true' }, { timestampType: 'LogAppendTime' }, 'LogAppendTime:1700000000000\tv\n'],
    [{ 'print.timestamp': 'true' }, { timestampType: 'NoTimestampType', timestamp: -1 }, 'NO_TIMESTAMP\tv\n'],
    [
      { 'print.headers': 'true' },
      {
        headers: [
          { key: 'a', value: Buffer.from('1') },
          { key: 'b', value: null },
        ],
      },
      'a:1,b:null\tv\n',
    ],
    [
      { 'value.deserializer': 'org.apache.kafka.common.serialization.LongDeserializer' },
      { value: Buffer.from('00000000000000ff', 'hex') },
      '255\n',
    ],
    [
      { 'value.deserializer': 'org.apache.kafka.common.serialization.DoubleDeserializer' },
      { value: Buffer.from('3ff0000000000000', 'hex') },
      '1.0\n',
    ],
    [
      { 'value.deserializer': 'org.apache.kafka.common.serialization.UUIDDeserializer' },
      { value: Buffer.from('0E6F5C2A-9A3C-4F0E-8C1D-2B3A4C5D6E7F') },
      '0e6f5c2a-9a3c-4f0e-8c1d-2b3a4c5d6e7f\n',
    ],
  ])('%j %j', (properties, record, expected) => {
    expect(format(properties, record)).toBe(expected);
  });

  test('bytes that are no text leave as they came', () => {
    const output = new OutputBuffer();
    recordFormatter('DefaultMessageFormatter', {})({ ...RECORD, value: Buffer.from([0xff, 0x00]) }, output);
    expect(output.take()).toEqual(Buffer.from([0xff, 0x00, 0x0a]));
  });

  test('what does not fit the deserializer is an error', () => {
    expect(() => format({ 'value.deserializer': 'IntegerDeserializer' })).toThrow(
      'Size of data received by IntegerDeserializer is not 4 but 1 bytes',
    );
  });
});

describe('formatters by name', () => {
  test.each([
    'kafka.tools.DefaultMessageFormatter',
    'org.apache.kafka.tools.consumer.DefaultMessageFormatter',
    'org.apache.kafka.tools.consumer.LoggingMessageFormatter',
  ])('%s shows the value', name => {
    expect(format({}, {}, name)).toBe('v\n');
  });

  test('NoOpMessageFormatter shows nothing', () => {
    expect(format({}, {}, 'org.apache.kafka.tools.consumer.NoOpMessageFormatter')).toBe('');
  });

  test('another one is named together with those there are', () => {
    expect(() => recordFormatter('com.example.Mine', {})).toThrow(
      /There is no formatter com.example.Mine; there are: DefaultMessageFormatter/,
    );
    expect(() =>
      recordFormatter('DefaultMessageFormatter', { 'print.key': 'true', 'key.deserializer': 'x.Mine' }),
    ).toThrow(/There is no deserializer x.Mine/);
  });
});

test('the output buffer grows, and starts over once taken', () => {
  const output = new OutputBuffer();
  const piece = Buffer.alloc(50_000, 0x61);
  for (let i = 0; i < 5; i++) output.append(piece);
  output.append('é');
  expect(output.length).toBe(250_002);
  expect(output.take().subarray(250_000).toString()).toBe('é');
  output.append('x');
  expect(output.take().toString()).toBe('x');
});
