import { beforeEach, describe, expect, test } from 'vitest';
import { alterConfigsHandler } from '../../../../broker/api/alter-configs.ts';
import { describeConfigsHandler } from '../../../../broker/api/describe-configs.ts';
import { incrementalAlterConfigsHandler } from '../../../../broker/api/incremental-alter-configs.ts';
import type { BrokerConfig } from '../../../../broker/config/broker-config.ts';
import { ConfigAlteration } from '../../../../broker/metadata/config-alteration.ts';
import { LoggerLevels } from '../../../../broker/metadata/logger-levels.ts';
import { TopicConfigs } from '../../../../broker/metadata/topic-configs.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { errorByCode } from '../../../../shared/protocol/errors.ts';
import { LogLevels } from '../../../../shared/runtime/log-levels.ts';
import type { ZooKeeperStore } from '../../../../shared/zookeeper/store.ts';
import { brokerConfig, knownCluster } from '../../../support/known-cluster.ts';
import { memoryStore } from '../../../support/memory-store.ts';

const TOPIC = 2;
const BROKER = 4;
const LOGGER = 8;
const OPERATIONS = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

let store: ZooKeeperStore;
let config: BrokerConfig;
let levels: LogLevels;
let alteration: ConfigAlteration;
let loggers: LoggerLevels;
const metadata = knownCluster([1, 2], [{ topic: 'orders', partition: 0, leader: 1 }]);
const context = { apiVersion: 1, park: () => {} } as unknown as RequestContext;

beforeEach(async () => {
  store = await memoryStore();
  config = brokerConfig({ 'broker.id': '1', 'log.retention.hours': '5' });
  levels = new LogLevels('INFO');
  levels.threshold('kafka.controller');
  alteration = new ConfigAlteration({ brokerId: 1, store, config, metadata });
  loggers = new LoggerLevels(1, levels);
});

interface Answer {
  responses: { errorCode: number; errorMessage: string | null }[];
}

type Configs = Record<string, string | null>;
type Resource = readonly [type: number, name: string, configs: Configs];

async function names(answer: unknown): Promise<string[]> {
  return ((await answer) as Answer).responses.map(({ errorCode }) => errorByCode(errorCode).name);
}

function replace(resources: readonly Resource[], validateOnly = false): Promise<string[]> {
  const request = {
    validateOnly,
    resources: resources.map(([resourceType, resourceName, configs]) => ({
      resourceType,
      resourceName,
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    })),
  };
  return names(alterConfigsHandler(alteration).handle(request, context));
}

type Change = readonly [name: string, operation: keyof typeof OPERATIONS, value?: string | null];

function change(resourceType: number, resourceName: string, changes: readonly Change[], validateOnly = false) {
  const configs = changes.map(([name, operation, value = null]) => ({
    name,
    value,
    configOperation: OPERATIONS[operation],
  }));
  const request = { validateOnly, resources: [{ resourceType, resourceName, configs }] };
  return names(incrementalAlterConfigsHandler(alteration, loggers).handle(request, context));
}

const written = async (type: 'topics' | 'brokers', entity: string) =>
  Object.fromEntries(await store.configs.get(type, entity));

describe('AlterConfigs', () => {
  test('replaces everything: what is left out goes back to its default', async () => {
    expect(await replace([[TOPIC, 'orders', { 'retention.ms': '5', 'cleanup.policy': 'compact' }]])).toEqual(['NONE']);
    expect(await replace([[TOPIC, 'orders', { 'retention.bytes': '7' }]])).toEqual(['NONE']);
    expect(await written('topics', 'orders')).toEqual({ 'retention.bytes': '7' });
    await replace([[BROKER, '1', { 'log.retention.ms': '5' }]]);
    await replace([[BROKER, '', { 'min.insync.replicas': '2' }]]);
    await replace([[BROKER, '1', {}]]);
    expect(await written('brokers', '1')).toEqual({});
    expect(await written('brokers', '<default>')).toEqual({ 'min.insync.replicas': '2' });
  });

  test('each resource has its own outcome, and a refused one stays as it was', async () => {
    await replace([[TOPIC, 'orders', { 'retention.ms': '5' }]]);
    const answers = await replace([
      [TOPIC, 'orders', { 'retention.ms': '6', 'no.such': 'x' }],
      [TOPIC, 'missing', {}],
      [TOPIC, '', {}],
      [BROKER, '2', {}],
      [BROKER, '1', { 'zookeeper.connect': 'z:2' }],
      [LOGGER, '1', { root: 'DEBUG' }],
      [16, 'subscription', {}],
    ]);
    expect(answers).toEqual([
      'INVALID_CONFIG',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
    ]);
    expect(await written('topics', 'orders')).toEqual({ 'retention.ms': '5' });
  });

  test('a value that a topic cannot have is an invalid config, one that a broker cannot have an invalid request', async () => {
    expect(await replace([[TOPIC, 'orders', { 'min.cleanable.dirty.ratio': '1.1' }]])).toEqual(['INVALID_CONFIG']);
    expect(await replace([[TOPIC, 'orders', { 'retention.ms': 'soon' }]])).toEqual(['INVALID_CONFIG']);
    expect(await change(TOPIC, 'orders', [['retention.ms', 'set', 'soon']])).toEqual(['INVALID_CONFIG']);
    expect(await replace([[BROKER, '1', { 'log.cleaner.threads': 'soon' }]])).toEqual(['INVALID_REQUEST']);
  });

  test('a null, and a resource that is named twice, are invalid requests', async () => {
    expect(await replace([[TOPIC, 'orders', { 'retention.ms': null }]])).toEqual(['INVALID_REQUEST']);
    const twice: Resource = [TOPIC, 'orders', { 'retention.ms': '1' }];
    expect(await replace([twice, twice])).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST']);
    expect(await written('topics', 'orders')).toEqual({});
  });

  test('validating only says the same and writes nothing', async () => {
    expect(await replace([[TOPIC, 'orders', { 'retention.ms': '5' }]], true)).toEqual(['NONE']);
    expect(await replace([[TOPIC, 'orders', { 'no.such': '5' }]], true)).toEqual(['INVALID_CONFIG']);
    expect(await written('topics', 'orders')).toEqual({});
  });
});

describe('IncrementalAlterConfigs', () => {
  test('sets and deletes single settings', async () => {
    await change(TOPIC, 'orders', [
      ['retention.ms', 'set', '5'],
      ['retention.bytes', 'set', '6'],
    ]);
    await change(TOPIC, 'orders', [['retention.ms', 'delete']]);
    expect(await written('topics', 'orders')).toEqual({ 'retention.bytes': '6' });
  });

  test('adds to lists and takes from them, beginning with the default where nothing is set', async () => {
    await change(TOPIC, 'orders', [['cleanup.policy', 'append', 'compact']]);
    expect(await written('topics', 'orders')).toEqual({ 'cleanup.policy': 'delete,compact' });
    await change(TOPIC, 'orders', [['cleanup.policy', 'append', 'compact']]);
    expect(await written('topics', 'orders')).toEqual({ 'cleanup.policy': 'delete,compact' });
    await change(TOPIC, 'orders', [['cleanup.policy', 'subtract', 'delete']]);
    expect(await written('topics', 'orders')).toEqual({ 'cleanup.policy': 'compact' });
    await change(BROKER, '', [['log.cleanup.policy', 'append', 'compact']]);
    expect(await written('brokers', '<default>')).toEqual({ 'log.cleanup.policy': 'delete,compact' });
  });

  test('what is no list cannot be added to; without a value there is nothing to set; a key stands once', async () => {
    expect(await change(TOPIC, 'orders', [['retention.ms', 'append', '5']])).toEqual(['INVALID_CONFIG']);
    expect(await change(TOPIC, 'orders', [['retention.ms', 'set']])).toEqual(['INVALID_REQUEST']);
    const set = ['retention.ms', 'set', '5'] as const;
    expect(await change(TOPIC, 'orders', [set, set])).toEqual(['INVALID_REQUEST']);
    expect(await change(TOPIC, 'orders', [set], true)).toEqual(['NONE']);
    expect(await written('topics', 'orders')).toEqual({});
  });

  test('loggers of this broker get levels, and lose them again', async () => {
    expect(await change(LOGGER, '1', [['kafka.controller', 'set', 'DEBUG']])).toEqual(['NONE']);
    expect(levels.all()).toEqual([
      ['kafka.controller', 'DEBUG'],
      ['root', 'INFO'],
    ]);
    await change(LOGGER, '1', [['root', 'set', 'ERROR']]);
    await change(LOGGER, '1', [['kafka.controller', 'delete']]);
    expect(levels.all()).toEqual([
      ['kafka.controller', 'ERROR'],
      ['root', 'ERROR'],
    ]);
  });

  test.each<[string, Change, string]>([
    ['1', ['kafka.nothing', 'set', 'INFO'], 'INVALID_CONFIG'],
    ['1', ['root', 'set', 'LOUD'], 'INVALID_CONFIG'],
    ['1', ['root', 'append', 'INFO'], 'INVALID_REQUEST'],
    ['1', ['root', 'delete'], 'INVALID_REQUEST'],
    ['2', ['root', 'set', 'INFO'], 'INVALID_REQUEST'],
    ['', ['root', 'set', 'INFO'], 'INVALID_REQUEST'],
  ])('for the loggers of broker %j, %j is %s', async (broker, wanted, error) => {
    const harmless = ['kafka.controller', 'set', 'TRACE'] as const;
    expect(await change(LOGGER, broker, [harmless, wanted])).toEqual([error]);
    expect(levels.all()).toContainEqual(['kafka.controller', 'INFO']);
  });
});

describe('DescribeConfigs', () => {
  interface Described {
    results: { errorCode: number; configs: { name: string; value: string | null; configSource: number }[] }[];
  }

  async function describeOne(resourceType: number, resourceName: string, keys: string[] | null = null) {
    const handler = describeConfigsHandler({
      brokerId: 1,
      config,
      topicConfigs: new TopicConfigs(config),
      metadata,
      loggers,
    });
    const request = {
      resources: [{ resourceType, resourceName, configurationKeys: keys }],
      includeSynonyms: true,
      includeDocumentation: false,
    };
    return ((await handler.handle(request, context)) as unknown as Described).results[0]!;
  }

  test('tells synonyms and types, and of loggers their levels', async () => {
    const [retention] = (await describeOne(TOPIC, 'orders', ['retention.ms'])).configs;
    expect(retention).toMatchObject({
      value: '18000000',
      configType: 5,
      configSource: 5,
      isDefault: true,
      readOnly: false,
    });
    const { configs } = await describeOne(LOGGER, '1');
    expect(configs).toMatchObject([
      { name: 'kafka.controller', value: 'INFO', configSource: 6, isDefault: false, isSensitive: false },
      { name: 'root', value: 'INFO', configSource: 6 },
    ]);
    expect((await describeOne(LOGGER, '1', ['root'])).configs).toHaveLength(1);
    expect(errorByCode((await describeOne(LOGGER, '2')).errorCode).name).toBe('INVALID_REQUEST');
  });

  test('never tells what is sensitive', async () => {
    config = brokerConfig({ 'broker.id': '1', 'ssl.keystore.password': 'hush' });
    const [password] = (await describeOne(BROKER, '1', ['ssl.keystore.password'])).configs;
    expect(password).toMatchObject({ value: null, isSensitive: true, synonyms: [{ value: null }] });
  });
});
