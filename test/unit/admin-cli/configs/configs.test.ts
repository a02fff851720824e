import { describe, expect, test } from 'vitest';
import { parseAddConfig } from '../../../../admin-cli/configs/changes.ts';
import { checkedEntity, configsCommand, type ConfigsOptions } from '../../../../admin-cli/configs/options.ts';
import { configLine, configsHeader, configsUpdated } from '../../../../admin-cli/format/configs.ts';
import { parseOptions } from '../../../../admin-cli/support/tool.ts';

describe('--add-config', () => {
  test.each([
    ['a=1', { a: '1' }],
    ['a=1,b=2', { a: '1', b: '2' }],
    ['a=[x,y],b=2', { a: 'x,y', b: '2' }],
    ['b=2,a=[x,y]', { b: '2', a: 'x,y' }],
    ['a=', { a: '' }],
    ['a = 1 , b=2', { a: '1', b: '2' }],
  ])('%s', (list, expected) => {
    expect(Object.fromEntries(parseAddConfig(list))).toEqual(expected);
  });

  test('a pair without = is an error', () => {
    expect(() => parseAddConfig('a=1,b')).toThrow(/must be in the format "key=val"/);
  });
});

const entity = (line: string) =>
  checkedEntity(parseOptions<ConfigsOptions>(configsCommand(), `--bootstrap-server b:1 ${line}`.split(' ')));

describe('whose settings', () => {
  test.each([
    ['--describe --topic t', { type: 'topic', name: 't' }],
    ['--describe --entity-type topics', { type: 'topic', name: null }],
    ['--describe --entity-type brokers --entity-name 1', { type: 'broker', name: '1' }],
    ['--describe --entity-type brokers --entity-default', { type: 'broker', name: '' }],
    ['--describe --broker-defaults', { type: 'broker', name: '' }],
    ['--describe --entity-type broker-loggers', { type: 'broker-logger', name: null }],
    ['--describe --broker-logger 1', { type: 'broker-logger', name: '1' }],
    ['--alter --broker 1 --add-config a=b', { type: 'broker', name: '1' }],
    ['--alter --topic t --delete-config a', { type: 'topic', name: 't' }],
  ])('%s', (line, expected) => {
    expect(entity(line)).toEqual(expected);
  });

  test.each([
    ['--topic t', 'Command must include exactly one action: --describe, --alter'],
    ['--describe', 'At least one entity type must be specified'],
    [
      '--describe --entity-type users',
      'Entity type users is not supported yet, only topics, brokers and broker-loggers are',
    ],
    ['--describe --entity-type nonsense', 'Invalid entity type nonsense'],
    ['--describe --entity-type broker-loggers --entity-default', 'Loggers have no default'],
    ['--describe --broker-logger x', 'The entity name for broker-loggers must be a valid integer broker id, found: x'],
    ['--describe --broker x', 'The entity name for brokers must be a valid integer broker id, found: x'],
    [
      '--alter --topic t',
      'At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter',
    ],
    [
      '--alter --entity-type topics --add-config a=b',
      'An entity name, or --entity-default, must be specified with --alter',
    ],
    [
      '--alter --topic t --add-config a=b --add-config-file f',
      'Only one of --add-config or --add-config-file can be specified',
    ],
  ])('%s is wrong use', (line, message) => {
    expect(() => entity(line)).toThrow(message);
  });

  test('levels of loggers are with their brokers, not in ZooKeeper', () => {
    const line = '--zookeeper z:1 --describe --broker-logger 1';
    expect(() => checkedEntity(parseOptions<ConfigsOptions>(configsCommand(), line.split(' ')))).toThrow(
      'Broker loggers need --bootstrap-server',
    );
  });
});

test('what is printed', () => {
  expect(configsHeader({ type: 'topic', name: 't' }, false)).toBe('Dynamic configs for topic t are:');
  expect(configsHeader({ type: 'broker', name: '1' }, true)).toBe('All configs for broker 1 are:');
  expect(configsHeader({ type: 'broker', name: '' }, false)).toBe('Default configs for brokers in the cluster are:');
  expect(configsUpdated({ type: 'topic', name: 't' })).toBe('Completed updating config for topic t.');
  expect(configsUpdated({ type: 'broker', name: '' })).toBe(
    'Completed updating default config for brokers in the cluster.',
  );
  const synonyms = [
    { name: 'cleanup.policy', value: 'compact', source: 'DYNAMIC_TOPIC_CONFIG' as const },
    { name: 'log.cleanup.policy', value: 'delete', source: 'DEFAULT_CONFIG' as const },
  ];
  const entry = {
    name: 'cleanup.policy',
    value: 'compact',
    source: 'DYNAMIC_TOPIC_CONFIG' as const,
    isSensitive: false,
    isReadOnly: false,
    synonyms,
  };
  expect(configLine(entry)).toBe(
    '  cleanup.policy=compact sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact, DEFAULT_CONFIG:log.cleanup.policy=delete}',
  );
  expect(configLine({ ...entry, value: null, isSensitive: true, synonyms: [] })).toBe(
    '  cleanup.policy=null sensitive=true synonyms={}',
  );
});
