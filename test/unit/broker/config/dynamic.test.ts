import { describe, expect, it } from 'vitest';
import { BrokerConfig } from '../../../../broker/config/broker-config.ts';

const load = (text = '') => BrokerConfig.load({ text: `zookeeper.connect=zk:2181\n${text}`, hostname: 'here' });

describe('dynamic settings', () => {
  it('count in the order broker, cluster, file, default, and fall back when they go', () => {
    const config = load('log.retention.ms=1');
    config.setDynamic('cluster', { 'log.retention.ms': '2' });
    expect(config.get('log.retention.ms')).toBe(2);
    config.setDynamic('broker', { 'log.retention.ms': '3' });
    expect(config.get('log.retention.ms')).toBe(3);
    config.setDynamic('broker', {});
    expect(config.get('log.retention.ms')).toBe(2);
    config.setDynamic('cluster', {});
    expect(config.get('log.retention.ms')).toBe(1);
  });

  it('call back for the keys that changed, after everything is in force', () => {
    const config = load();
    const heard: string[] = [];
    config.onChange('message.max.bytes', () => heard.push(`size ${config.topicDefaults()['max.message.bytes']}`));
    config.onChange(['num.io.threads', 'min.insync.replicas'], () => heard.push('others'));
    config.onAnyChange(() => heard.push('any'));
    config.setDynamic('cluster', { 'message.max.bytes': '7' });
    config.setDynamic('broker', { 'message.max.bytes': '7', 'log.cleanup.policy': 'delete' });
    expect(heard).toEqual(['size 7', 'any']);
  });

  it('hear of a change of what stands in for a setting', () => {
    const config = load('log.roll.hours=1');
    config.setDynamic('broker', { 'log.roll.ms': '5' });
    expect(config.get('log.roll.ms')).toBe(5);
    config.setDynamic('broker', {});
    expect(config.get('log.roll.ms')).toBe(3_600_000);
  });

  it('pass over what cannot be used, and say so', () => {
    const config = load();
    const problems = config.setDynamic('cluster', {
      'message.max.bytes': '9',
      'num.partitions': '3',
      'min.insync.replicas': 'two',
      listeners: 'PLAINTEXT://:1',
    });
    expect(config.get('message.max.bytes')).toBe(9);
    expect(config.get('num.partitions')).toBe(1);
    expect(problems.join('\n')).toMatch(/num\.partitions[\s\S]*min\.insync\.replicas[\s\S]*listeners/);
  });

  it('stay as they were when they contradict the others', () => {
    const config = load();
    expect(config.setDynamic('broker', { 'max.connections.per.ip': '0' })).toHaveLength(1);
    expect(config.get('max.connections.per.ip')).toBe(2_147_483_647);
    expect(config.source('max.connections.per.ip')!.source).toBe('DEFAULT_CONFIG');
  });

  it('may raise a thread count in ZooKeeper beyond twice the file’s when they are read at a start', () => {
    const config = load();
    expect(config.setDynamic('broker', { 'num.io.threads': '64' })).toEqual([]);
    expect(config.get('num.io.threads')).toBe(64);
  });
});

describe('validateDynamic', () => {
  const refusal = (level: 'broker' | 'cluster', record: Record<string, string>, text = '') => {
    const config = load(text);
    try {
      config.validateDynamic(level, record);
    } catch (error) {
      return (error as Error).message;
    }
    return null;
  };

  it('accepts what may change, and changes nothing', () => {
    const config = load();
    config.validateDynamic('cluster', { 'message.max.bytes': '5', 'custom.plugin.key': 'x' });
    expect(config.get('message.max.bytes')).toBe(1_048_588);
  });

  it.each<[string, 'broker' | 'cluster', Record<string, string>, RegExp]>([
    [
      'a setting read at the start only',
      'broker',
      { 'num.partitions': '2' },
      /Cannot update these configs dynamically: num\.partitions/,
    ],
    [
      'a setting of one broker for all',
      'cluster',
      { 'advertised.listeners': 'PLAINTEXT://a:1' },
      /broker id must be specified/,
    ],
    ['TLS without a listener', 'broker', { 'ssl.keystore.location': '/k' }, /listener prefix/],
    ['a password', 'broker', { 'listener.name.a.ssl.key.password': 'x' }, /not kept in ZooKeeper/],
    ['a bad value', 'cluster', { 'min.insync.replicas': '0' }, /at least 1/],
    ['more than twice the threads', 'cluster', { 'num.io.threads': '17' }, /between 4 and 16/],
    ['less than half the threads', 'broker', { 'num.io.threads': '3' }, /between 4 and 16/],
    ['a contradiction', 'broker', { 'max.connections.per.ip': '0' }, /overrides/],
    [
      'listeners that brokers cannot use',
      'broker',
      { 'advertised.listeners': 'PLAINTEXT://0.0.0.0:1' },
      /clients can reach/,
    ],
  ])('refuses %s', (_, level, record, sentence) => {
    expect(refusal(level, record)).toMatch(sentence);
  });

  it('refuses a record as a whole for its one bad setting', () => {
    expect(refusal('cluster', { 'message.max.bytes': '5', 'num.partitions': '2' })).not.toBeNull();
  });

  it('does not measure an unchanged thread count against itself twice', () => {
    const config = load();
    config.setDynamic('broker', { 'num.io.threads': '64' });
    expect(() => config.validateDynamic('broker', { 'num.io.threads': '64', 'message.max.bytes': '1' })).not.toThrow();
  });
});
