import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { BrokerConfig } from '../../../../broker/config/broker-config.ts';
import { parseOverrides } from '../../../../broker/config/settings.ts';
import { MAX_LONG } from '../../../../shared/config/types.ts';

const MINIMUM = 'zookeeper.connect=localhost:2181\n';
const load = (text = '', overrides: Record<string, string> = {}, environment: Record<string, string> = {}) =>
  BrokerConfig.load({ text: MINIMUM + text, file: 'server.properties', overrides, environment, hostname: 'here' });

describe('loading', () => {
  it('gives typed values, and the defaults for what is not set', () => {
    const config = load('num.partitions = 7 \nlog.cleanup.policy=compact,delete');
    expectTypeOf(config.get('num.partitions')).toEqualTypeOf<number>();
    expectTypeOf(config.get('broker.rack')).toEqualTypeOf<string | null>();
    expectTypeOf(config.get('log.retention.ms')).toEqualTypeOf<number>();
    expect(config.get('num.partitions')).toBe(7);
    expect(config.get('log.cleanup.policy')).toEqual(['compact', 'delete']);
    expect(config.get('broker.rack')).toBeNull();
    expect(config.get('replica.lag.time.max.ms')).toBe(30_000);
  });

  it('lets --override win over the environment, and that over the file', () => {
    const text = 'num.partitions=1\nbroker.id=1\nmin.insync.replicas=1';
    const config = load(text, { 'num.partitions': '3' }, { KAFKA_NUM_PARTITIONS: '2', KAFKA_BROKER_ID: '2' });
    expect([config.get('num.partitions'), config.get('broker.id'), config.get('min.insync.replicas')]).toEqual([
      3, 2, 1,
    ]);
  });

  it('needs no file', () => {
    const config = BrokerConfig.load({ environment: { KAFKA_ZOOKEEPER_CONNECT: 'zk:2181/kafka' } });
    expect(config.get('zookeeper.connect')).toBe('zk:2181/kafka');
  });

  it('reads a file, and says in a sentence when it cannot', () => {
    const directory = mkdtempSync(join(tmpdir(), 'samsa-config-'));
    try {
      const file = join(directory, 'server.properties');
      writeFileSync(file, `${MINIMUM}broker.id=5\nnum.partitions=none\n`);
      expect(() => BrokerConfig.load({ file })).toThrow(`num.partitions cannot be "none" (${file}, line 3)`);
      expect(() => BrokerConfig.load({ file: join(directory, 'no') })).toThrow(/there is no such file/);
      expect(() => BrokerConfig.load({ file: directory })).toThrow(/Cannot read/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('names the variable or the option that gave a bad value', () => {
    expect(() => load('', {}, { KAFKA_NUM_PARTITIONS: 'x' })).toThrow(/environment variable KAFKA_NUM_PARTITIONS/);
    expect(() => load('', { 'num.partitions': 'x' })).toThrow(/--override/);
  });

  it('takes --override apart at the first =', () => {
    expect(parseOverrides(['a=1', 'b=x=y', 'a=2', 'c='])).toEqual({ a: '2', b: 'x=y', c: '' });
    expect(() => parseOverrides(['a'])).toThrow(/key=value/);
    expect(() => parseOverrides(['=a'])).toThrow(/key=value/);
  });

  it.each<[string, RegExp]>([
    ['broker.id=1001', /broker\.id cannot be "1001" \(server\.properties, line 2\).*1000/],
    ['broker.id.generation.enable=false', /broker\.id cannot be "-1".*at least 0/],
    ['broker.id=1\nnode.id=2', /node\.id cannot be "2" .*line 3/],
    ['log.dirs= , ', /at least one directory/],
    ['log.dirs=a,b,a', /same directory twice/],
    ['log.retention.hours=0', /log\.retention\.hours cannot be "0"/],
    ['log.roll.ms=0', /log\.roll\.ms/],
    ['log.cleaner.dedupe.buffer.size=1048576', /1 MiB/],
    ['replica.fetch.wait.max.ms=30001', /replica\.socket\.timeout\.ms/],
    ['replica.lag.time.max.ms=400', /replica\.fetch\.wait\.max\.ms cannot be "500"/],
    ['queued.max.request.bytes=1000', /-1, or at least socket\.request\.max\.bytes/],
    ['socket.request.max.bytes=1073741824', /HTTP/],
    ['max.connections.per.ip=0', /overrides is empty/],
    ['max.connections.per.ip.overrides=host', /host:count/],
    ['connection.failed.authentication.delay.ms=600000', /connections\.max\.idle\.ms/],
    ['offsets.topic.compression.codec=4\ninter.broker.protocol.version=2.0', /zstd/],
    ['zookeeper.ssl.client.enable=true', /TLS towards ZooKeeper is not supported/],
    ['process.roles=broker,controller', /KRaft/],
    ['listeners=PLAINTEXT://0.0.0.0:9092', /line 2.*set advertised\.listeners/],
    ['zookeeper.connect=', /zookeeper\.connect/],
  ])('refuses %j', (text, sentence) => {
    expect(() => load(text)).toThrow(sentence);
  });

  it('refuses to start without ZooKeeper', () => {
    expect(() => BrokerConfig.load({ text: 'broker.id=1' })).toThrow(/zookeeper\.connect is missing/);
  });
});

describe('settings that stand in for others', () => {
  it.each<[string, number]>([
    ['', 604_800_000],
    ['log.retention.hours=1', 3_600_000],
    ['log.retention.hours=1\nlog.retention.minutes=1', 60_000],
    ['log.retention.hours=1\nlog.retention.minutes=1\nlog.retention.ms=1', 1],
    ['log.retention.hours=-1', -1],
  ])('retention with %j', (text, ms) => {
    expect(load(text).get('log.retention.ms')).toBe(ms);
    expect(load(text).topicDefaults()['retention.ms']).toBe(ms);
  });

  it('go for rolling, flushing, directories, the ZooKeeper timeout and the id', () => {
    const config = load('log.roll.hours=2\nlog.dir=/x\nzookeeper.session.timeout.ms=9\nnode.id=3');
    expect(config.get('log.roll.ms')).toBe(7_200_000);
    expect(config.get('log.roll.jitter.ms')).toBe(0);
    expect(config.get('log.flush.interval.ms')).toBe(MAX_LONG);
    expect(config.logDirs).toEqual(['/x']);
    expect(config.get('zookeeper.connection.timeout.ms')).toBe(9);
    expect(config.get('broker.id')).toBe(3);
    expect(load('log.dirs=/a, /b,').logDirs).toEqual(['/a', '/b']);
  });

  it('gives the request queue a finite size', () => {
    expect(load().get('queued.max.request.bytes')).toBe(64 * 1024 * 1024);
    expect(load('queued.max.request.bytes=104857600').get('queued.max.request.bytes')).toBe(104_857_600);
  });
});

describe('warnings', () => {
  it('are silent about what is acted on, and about values that are the default anyway', () => {
    expect(load('broker.id=1\nnum.network.threads=3\nlog.cleaner.enable=TRUE\nmetric.reporters=').warnings).toEqual([]);
  });

  it('name all that is known but without effect in one, and each unknown key in its own', () => {
    const text = 'num.network.threads=8\nauthorizer.class.name=kafka.security.authorizer.AclAuthorizer\nfoo=1\nbar=2';
    expect(load(text).warnings).toEqual([
      'Known settings that this version does not act on yet: num.network.threads, authorizer.class.name.',
      "The configuration 'foo' was supplied but isn't a known config.",
      "The configuration 'bar' was supplied but isn't a known config.",
    ]);
  });

  it('know settings with a listener in front', () => {
    const text = 'listener.name.a.ssl.keystore.location=/k\nlistener.name.a.scram-sha-256.sasl.jaas.config=x';
    expect(load(text).warnings).toHaveLength(1);
  });
});

describe('topicDefaults', () => {
  it('come from the broker, and stay the same object until something changes', () => {
    const config = load('message.max.bytes=5\nlog.cleanup.policy=compact\nlog.segment.delete.delay.ms=1');
    const defaults = config.topicDefaults();
    expect(defaults['max.message.bytes']).toBe(5);
    expect(defaults['cleanup.policy']).toEqual(['compact']);
    expect(defaults['file.delete.delay.ms']).toBe(1);
    expect(defaults['leader.replication.throttled.replicas']).toEqual([]);
    expect(config.topicDefaults()).toBe(defaults);
    config.setDynamic('cluster', { 'message.max.bytes': '6' });
    expect(config.topicDefaults()['max.message.bytes']).toBe(6);
  });
});
