import { describe, expect, test } from 'vitest';
import { BrokerConfig } from '../../../../broker/config/broker-config.ts';
import { BROKER_CONFIG_KEYS, brokerConfigRow } from '../../../../broker/config/values.ts';
import type { BrokerConfigKey } from '../../../../broker/config/table/index.ts';

const load = () =>
  BrokerConfig.load({ text: 'zookeeper.connect=zk:2181\nlisteners=PLAINTEXT://h:9092', hostname: 'h' });

/** Kafka's `DynamicBrokerConfig.AllDynamicConfigs`, apart from those that want a listener's prefix: a value for each. */
const CLUSTER_WIDE: Readonly<Record<string, string>> = {
  'num.network.threads': '4',
  'num.io.threads': '9',
  'background.threads': '11',
  'max.connections': '100',
  'max.connections.per.ip': '10',
  'max.connections.per.ip.overrides': '127.0.0.1:5',
  'max.connection.creation.rate': '20',
  'num.recovery.threads.per.data.dir': '2',
  'log.segment.bytes': '1000000',
  'log.roll.ms': '60000',
  'log.roll.jitter.ms': '100',
  'log.retention.ms': '60000',
  'log.retention.bytes': '1000',
  'log.cleanup.policy': 'compact,delete',
  'log.index.size.max.bytes': '1000',
  'log.index.interval.bytes': '100',
  'log.flush.interval.messages': '100',
  'log.flush.interval.ms': '1000',
  'log.segment.delete.delay.ms': '100',
  'log.preallocate': 'true',
  'log.message.timestamp.type': 'LogAppendTime',
  'log.message.timestamp.before.max.ms': '1000',
  'log.message.timestamp.after.max.ms': '1000',
  'log.message.timestamp.difference.max.ms': '1000',
  'log.message.downconversion.enable': 'false',
  'message.max.bytes': '1000',
  'compression.type': 'gzip',
  'compression.gzip.level': '5',
  'compression.lz4.level': '5',
  'compression.zstd.level': '5',
  'log.cleaner.threads': '2',
  'log.cleaner.dedupe.buffer.size': '200000000',
  'log.cleaner.io.buffer.size': '1000',
  'log.cleaner.io.buffer.load.factor': '0.5',
  'log.cleaner.io.max.bytes.per.second': '1000',
  'log.cleaner.backoff.ms': '100',
  'log.cleaner.min.cleanable.ratio': '0.1',
  'log.cleaner.delete.retention.ms': '100',
  'log.cleaner.min.compaction.lag.ms': '100',
  'log.cleaner.max.compaction.lag.ms': '1000',
  'min.insync.replicas': '2',
  'unclean.leader.election.enable': 'true',
  'num.replica.fetchers': '2',
  'transaction.partition.verification.enable': 'false',
  'producer.id.expiration.ms': '1000',
  'leader.replication.throttled.rate': '1000',
  'follower.replication.throttled.rate': '1000',
  'replica.alter.log.dirs.io.max.bytes.per.second': '1000',
  'metric.reporters': 'a.Reporter',
};
const PER_BROKER: Readonly<Record<string, string>> = {
  listeners: 'PLAINTEXT://h:9093',
  'advertised.listeners': 'PLAINTEXT://elsewhere:9093',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,OTHER:PLAINTEXT',
};

describe('dynamic settings of brokers', () => {
  test.each(Object.entries(CLUSTER_WIDE))('%s may change for one broker and for all', (key, value) => {
    for (const level of ['broker', 'cluster'] as const) {
      const config = load();
      const before = config.get(key as BrokerConfigKey);
      config.validateDynamic(level, { [key]: value });
      expect(config.setDynamic(level, { [key]: value })).toEqual([]);
      expect(config.get(key as BrokerConfigKey)).not.toEqual(before);
      config.setDynamic(level, {});
      expect(config.get(key as BrokerConfigKey)).toEqual(before);
    }
  });

  test.each(Object.entries(PER_BROKER))('%s may change for one broker only', (key, value) => {
    const config = load();
    config.validateDynamic('broker', { [key]: value });
    expect(() => config.validateDynamic('cluster', { [key]: value })).toThrow(/broker id must be specified/);
  });

  test('all others need a restart', () => {
    const known = new Set([...Object.keys(CLUSTER_WIDE), ...Object.keys(PER_BROKER)]);
    const others = BROKER_CONFIG_KEYS.filter(key => !known.has(key) && !/^(ssl|sasl|principal)\./.test(key));
    const dynamic = others.filter(key => brokerConfigRow(key)!.dynamic !== 'read-only');
    expect(dynamic).toEqual([]);
  });
});
