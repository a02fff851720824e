import { expect, test } from 'vitest';
import {
  producerCommand,
  producerSettings,
  readerProperties,
  type ProducerOptions,
} from '../../../../admin-cli/producing/options.ts';
import { SendFailures } from '../../../../admin-cli/producing/send-failures.ts';
import { parseOptions } from '../../../../admin-cli/support/tool.ts';

const settings = (...argv: string[]) => producerSettings(parseOptions<ProducerOptions>(producerCommand(), argv));

test('an option that was given decides, else the property, else the default of the tool', () => {
  expect(settings('--bootstrap-server', 'b:1')).toMatchObject({
    'bootstrap.servers': 'b:1',
    'client.id': 'console-producer',
    'compression.type': 'none',
    'linger.ms': 1000,
    acks: '-1',
    retries: 3,
  });
  const given = settings(
    '--broker-list',
    'b:1',
    '--producer-property',
    'acks=1',
    '--producer-property',
    'linger.ms=5',
    '--timeout',
    '7',
  );
  expect(given).toMatchObject({ 'bootstrap.servers': 'b:1', acks: '1', 'linger.ms': 7 });
});

test('--compression-codec without a codec is gzip', () => {
  expect(settings('--broker-list', 'b:1', '--compression-codec')).toMatchObject({ 'compression.type': 'gzip' });
  expect(settings('--broker-list', 'b:1', '--compression-codec', 'zstd')).toMatchObject({ 'compression.type': 'zstd' });
});

test('no brokers, or a reader that does not exist, are wrong use', () => {
  expect(() => settings('--topic', 't')).toThrow('Missing required argument "[bootstrap-server]"');
  expect(() => readerProperties({ lineReader: 'my.Reader' })).toThrow(/There is no line reader my.Reader/);
  expect(readerProperties({ lineReader: 'kafka.tools.ConsoleProducer$LineMessageReader', property: ['a=b'] })).toEqual({
    a: 'b',
  });
});

test('failures of the same kind are told once, and counted at the end', () => {
  const lines: string[] = [];
  const failures = new SendFailures('t', line => lines.push(line));
  for (let i = 0; i < 3; i++) failures.callback(new Error('too large'), null);
  failures.callback(new Error('timed out'), null);
  failures.callback(null, { topic: 't', partition: 0, offset: 0, timestamp: 0 });
  failures.summarise();
  expect(lines).toEqual([
    'ERROR Error when sending message to topic t: too large\n',
    'ERROR Error when sending message to topic t: timed out\n',
    'ERROR 3 messages to topic t could not be sent: too large\n',
  ]);
});
