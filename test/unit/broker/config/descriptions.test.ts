import { describe, expect, it } from 'vitest';
import { BrokerConfig } from '../../../../broker/config/broker-config.ts';

const load = (text = '') => BrokerConfig.load({ text: `zookeeper.connect=zk:2181\n${text}`, hostname: 'here' });

describe('source', () => {
  it('tells the value, where it comes from, and what else says something about it', () => {
    const config = load('message.max.bytes=10');
    config.setDynamic('cluster', { 'message.max.bytes': '20' });
    config.setDynamic('broker', { 'message.max.bytes': ' 30' });
    const name = 'message.max.bytes';
    expect(config.source(name)).toMatchObject({
      name,
      value: '30',
      source: 'DYNAMIC_BROKER_CONFIG',
      readOnly: false,
      type: 'int',
    });
    expect(config.source(name)!.synonyms).toEqual([
      { name, value: '30', source: 'DYNAMIC_BROKER_CONFIG' },
      { name, value: '20', source: 'DYNAMIC_DEFAULT_BROKER_CONFIG' },
      { name, value: '10', source: 'STATIC_BROKER_CONFIG' },
      { name, value: '1048588', source: 'DEFAULT_CONFIG' },
    ]);
  });

  it('writes values as their type does', () => {
    const config = load('delete.topic.enable=FALSE\nlog.cleanup.policy= compact , delete');
    expect(config.source('delete.topic.enable')!.value).toBe('false');
    expect(config.source('log.cleanup.policy')!.value).toBe('compact,delete');
    expect(config.source('log.flush.interval.messages')!.value).toBe('9223372036854775807');
  });

  it('shows no password and nothing of unknown settings', () => {
    const config = load('ssl.key.password=hunter2\nmy.plugin.token=hunter2\nlistener.name.a.ssl.key.password=hunter2');
    for (const key of ['ssl.key.password', 'my.plugin.token', 'listener.name.a.ssl.key.password']) {
      expect(config.source(key)).toMatchObject({ value: null, sensitive: true, source: 'STATIC_BROKER_CONFIG' });
    }
    expect(JSON.stringify(config.entries()).includes('hunter2')).toBe(false);
  });

  it('is null for what nobody knows', () => {
    expect(load().source('nonsense')).toBeNull();
    expect(load().source('toString')).toBeNull();
  });

  it('has no value for a setting that others stand in for, as in Kafka', () => {
    expect(load('log.retention.hours=1').source('log.retention.ms')).toMatchObject({ value: null, synonyms: [] });
  });
});

describe('entries', () => {
  it('have what clients look for, each once, and what else was set', () => {
    const names = load('foo=1')
      .entries()
      .map(entry => entry.name);
    expect(names).toHaveLength(new Set(names).size);
    expect(names).toEqual(
      expect.arrayContaining(['advertised.listeners', 'inter.broker.protocol.version', 'delete.topic.enable', 'foo']),
    );
    expect(names).not.toContain('leader.replication.throttled.rate');
  });

  it('of the cluster are those kept for all brokers', () => {
    const config = load();
    config.setDynamic('cluster', { 'message.max.bytes': '5' });
    config.setDynamic('broker', { 'min.insync.replicas': '2' });
    expect(config.clusterEntries()).toMatchObject([
      { name: 'message.max.bytes', value: '5', source: 'DYNAMIC_DEFAULT_BROKER_CONFIG' },
    ]);
  });
});

describe('topicEntries', () => {
  const entry = (config: BrokerConfig, overrides: Record<string, string>, name: string) =>
    config.topicEntries(overrides).find(found => found.name === name)!;

  it('tell override, broker setting and default', () => {
    expect(entry(load('log.segment.bytes=50'), { 'segment.bytes': '99' }, 'segment.bytes')).toMatchObject({
      value: '99',
      source: 'DYNAMIC_TOPIC_CONFIG',
      readOnly: false,
      synonyms: [
        { name: 'segment.bytes', value: '99', source: 'DYNAMIC_TOPIC_CONFIG' },
        { name: 'log.segment.bytes', value: '50', source: 'STATIC_BROKER_CONFIG' },
        { name: 'log.segment.bytes', value: '1073741824', source: 'DEFAULT_CONFIG' },
      ],
    });
  });

  it('have the value that a stand-in gives, without naming it, as in Kafka', () => {
    expect(entry(load('log.retention.hours=1'), {}, 'retention.ms')).toMatchObject({
      value: '3600000',
      source: 'DEFAULT_CONFIG',
      synonyms: [],
    });
  });

  it('name the stand-ins behind a setting that is set itself', () => {
    const { synonyms } = entry(load('log.retention.hours=1\nlog.retention.ms=5'), {}, 'retention.ms');
    expect(synonyms.map(({ name, source }) => `${source}:${name}`)).toEqual([
      'STATIC_BROKER_CONFIG:log.retention.ms',
      'STATIC_BROKER_CONFIG:log.retention.hours',
      'DEFAULT_CONFIG:log.retention.hours',
    ]);
  });
});
