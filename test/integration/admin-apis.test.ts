import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, type Admin } from '../../client/index.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import { KafkaConnector } from '../../shared/connection/kafka.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { recordsBuffer } from '../../shared/protocol/json.ts';
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import { systemTimers } from '../../shared/runtime/clock.ts';
import type { BrokerProcess } from '../support/broker-process.ts';
import { DescribeConfigs } from '../../shared/protocol/messages/describe-configs.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool, type Outcome } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

const require = createRequire(import.meta.url);
/** kafkajs' message sets are an independent reading of the older formats. */
const kafkajsMessageSet = require('kafkajs/src/protocol/messageSet') as (options: object) => { buffer: Buffer };
const KafkajsDecoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const kafkajsDecodeSet = require('kafkajs/src/protocol/messageSet/decoder') as (
  decoder: object,
) => Promise<{ offset: string; key: Buffer | null; value: Buffer }[]>;

let cluster: Cluster;
let directory: string;
let admin: Admin;

const PROPERTIES = {
  // Relative to the directory in which each broker is started.
  'log.dirs': 'data,more',
  'log.retention.check.interval.ms': '300',
  'log.initial.task.delay.ms': '100',
  'replica.lag.time.max.ms': '3000',
  'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-admin-apis-'));
  cluster = await startCluster({
    brokers: 2,
    properties: PROPERTIES,
    propertiesOf: id => ({ 'broker.rack': `rack-${id}` }),
  });
  admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
});

afterAll(async () => {
  admin.close();
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
});

const B = () => ['--bootstrap-server', cluster.bootstrap];

/** The tool's standard output, when it ended well. */
async function printed(outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

async function topicWith(name: string, values: readonly string[], replicationFactor = 2): Promise<void> {
  await admin.createTopics([{ name, partitions: 1, replicationFactor }]);
  const input = values.map(value => `${value}\n`).join('');
  await printed(tool('kafka-console-producer', [...B(), '--topic', name, '--batch-size', '1'], { input }));
}

async function readAll(topic: string): Promise<string[]> {
  const args = [...B(), '--topic', topic, '--from-beginning', '--timeout-ms', '3000'];
  return (await printed(tool('kafka-console-consumer', args))).split('\n').slice(0, -1);
}

describe('deleting records', () => {
  const file = (text: string) => {
    const path = join(directory, 'offsets.json');
    writeFileSync(path, text);
    return path;
  };

  test('kafka-delete-records: what is below the offset is gone for every reader, on all replicas', async () => {
    await topicWith('purged', ['a', 'b', 'c', 'd']);
    const path = file('{"version":1,"partitions":[{"topic":"purged","partition":0,"offset":2}]}');
    const text = await printed(tool('kafka-delete-records', [...B(), '--offset-json-file', path]));
    expect(text).toBe(
      'Executing records delete operation\nRecords delete operation completed:\npartition: purged-0\tlow_watermark: 2\n',
    );
    expect(await readAll('purged')).toEqual(['c', 'd']);
    expect(await printed(tool('kafka-get-offsets', [...B(), '--topic', 'purged', '--time', 'earliest']))).toBe(
      'purged:0:2\n',
    );
  });

  test('an offset beyond the end is told for its partition; the tool goes on with the others', async () => {
    await topicWith('beyond', ['a']);
    const path = file(
      '{"partitions":[{"topic":"beyond","partition":0,"offset":9},{"topic":"purged","partition":0,"offset":-1}]}',
    );
    const text = await printed(tool('kafka-delete-records', [...B(), '--offset-json-file', path]));
    expect(text).toMatch(/^partition: beyond-0\terror: OFFSET_OUT_OF_RANGE: /m);
    expect(text).toMatch(/^partition: purged-0\tlow_watermark: 4$/m);
    expect(await tool('kafka-delete-records', [...B(), '--offset-json-file', file('{"version":3}')])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Not supported version field value 3') as string,
    });
  });

  test('kafkajs deletes records', async () => {
    await topicWith('purged-by-kafkajs', ['a', 'b', 'c']);
    const kafka = new Kafka({ brokers: cluster.bootstrap.split(','), logLevel: logLevel.NOTHING }).admin();
    await kafka.connect();
    // Its own deletion takes the leaders from metadata that another call must have loaded.
    expect(await kafka.fetchTopicOffsets('purged-by-kafkajs')).toMatchObject([{ low: '0', high: '3' }]);
    await kafka.deleteTopicRecords({ topic: 'purged-by-kafkajs', partitions: [{ partition: 0, offset: '2' }] });
    expect(await kafka.fetchTopicOffsets('purged-by-kafkajs')).toMatchObject([{ low: '2', high: '3' }]);
    await kafka.disconnect();
    expect(await readAll('purged-by-kafkajs')).toEqual(['c']);
  });
});

describe('log directories', () => {
  interface Description {
    brokers: { broker: number; logDirs: { logDir: string; error: string | null; partitions: object[] }[] }[];
  }

  async function described(...args: string[]): Promise<Description> {
    const [querying, received, json] = (
      await printed(tool('kafka-log-dirs', [...B(), '--describe', '--topic-list', 'moving', ...args]))
    ).split('\n');
    expect(querying).toBe('Querying brokers for log directories information');
    expect(received).toMatch(/^Received log directory information from brokers /);
    return JSON.parse(json!) as Description;
  }

  const directoriesOf = ({ brokers }: Description, id: number) =>
    brokers.find(({ broker }) => broker === id)!.logDirs.filter(({ partitions }) => partitions.length > 0);

  test('kafka-log-dirs shows where the log of each replica is', async () => {
    await topicWith('moving', ['a', 'b', 'c']);
    const all = await described();
    expect(all.brokers.map(({ broker }) => broker)).toEqual([0, 1]);
    for (const { logDirs } of all.brokers) {
      expect(logDirs.map(({ logDir }) => logDir.replace(/.*\//, ''))).toEqual(['data', 'more']);
      expect(logDirs.flatMap(({ partitions }) => partitions)).toMatchObject([
        { partition: 'moving-0', offsetLag: 0, isFuture: false },
      ]);
    }
    expect((await described('--broker-list', '1')).brokers.map(({ broker }) => broker)).toEqual([1]);
    const missing = await tool('kafka-log-dirs', [...B(), '--describe', '--broker-list', '1,7']);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/^ERROR: The given brokers do not exist from --broker-list: 7\. .*: 0,1\n$/);
  });

  test('a replica moves to another directory, on leader and follower, and survives a kill', async () => {
    const before = await described();
    const targets = [0, 1].map(broker => {
      const { logDir } = directoriesOf(before, broker)[0]!;
      return {
        broker,
        topic: 'moving',
        partition: 0,
        directory: logDir.replace(/[^/]+$/, m => (m === 'data' ? 'more' : 'data')),
      };
    });
    const outcomes = await admin.alterReplicaLogDirs(targets);
    expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
    await waitFor('both logs to have moved', async () => {
      const now = await described();
      return targets.every(({ broker, directory: wanted }) => {
        const found = directoriesOf(now, broker);
        return found.length === 1 && found[0]!.logDir === wanted;
      });
    });
    expect(await readAll('moving')).toEqual(['a', 'b', 'c']);
    await cluster.brokers[0]!.kill();
    await cluster.brokers[0]!.start();
    await printed(tool('kafka-console-producer', [...B(), '--topic', 'moving'], { input: 'd\n' }));
    expect(await readAll('moving')).toEqual(['a', 'b', 'c', 'd']);
    const [refused] = await admin.alterReplicaLogDirs([{ ...targets[0]!, directory: '/elsewhere' }]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { codeName: 'LOG_DIR_NOT_FOUND' } });
  });
});

describe('clients from before record batches', () => {
  const connector = new KafkaConnector({
    clientId: 'old',
    requestTimeoutMs: 10_000,
    connectTimeoutMs: 10_000,
    negotiate: false,
    timers: systemTimers,
  });

  async function leaderOf(topic: string): Promise<Connection> {
    // The broker that is asked may not have heard of a new topic yet.
    const leader = await waitFor(`a leader of ${topic}`, async () => {
      const found = (await admin.describeTopic(topic)).partitions[0]!.leader;
      return found < 0 ? null : { id: found };
    });
    return connector.connect({ host: '127.0.0.1', port: cluster.brokers[leader.id]!.port });
  }

  // Young enough for the topic's retention.
  const timestamp = Date.now();

  /** Sends a message set that kafkajs has written, and returns the answer for the partition. */
  async function produceSet(leader: Connection, version: number, topic: string, values: string[], compress = false) {
    const compression = compress ? 1 : 0;
    const entries = values.map((value, offset) => ({ key: `k${value}`, value, timestamp, offset, compression: 0 }));
    const messageVersion = version < 2 ? 0 : 1;
    let set = kafkajsMessageSet({ messageVersion, compression, entries }).buffer;
    if (compress) {
      const wrapper = { key: null, value: gzipSync(set), timestamp, compression, offset: 0 };
      set = kafkajsMessageSet({ messageVersion, compression: 0, entries: [wrapper] }).buffer;
    }
    const partitionData = [{ index: 0, records: set }];
    const answer = await leader.call(
      Produce,
      { acks: -1, timeoutMs: 5000, topicData: [{ name: topic, partitionData }] },
      { version },
    );
    return answer!.responses[0]!.partitionResponses[0]!;
  }

  async function fetchSet(leader: Connection, version: number, topic: string, fetchOffset = 0) {
    const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }];
    const request = { maxWaitMs: 100, minBytes: 1, topics: [{ topic, partitions }] };
    const answer = await leader.call(Fetch, request, { version });
    const { errorCode, records } = answer!.responses[0]!.partitions[0]!;
    const set = recordsBuffer(records);
    const framed = Buffer.concat([Buffer.alloc(4), set]);
    framed.writeInt32BE(set.length, 0);
    const decoded = await kafkajsDecodeSet(new KafkajsDecoder(framed));
    const messages = decoded.map(({ offset, key, value }) => `${offset} ${key?.toString() ?? ''} ${value.toString()}`);
    return { errorCode, messages, magic: set.length === 0 ? null : set.readInt8(16) };
  }

  test.each([0, 1, 2])('Produce v%i: message sets become batches, compressed or not', async version => {
    const topic = `old-produce-${version}`;
    await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 2 }]);
    const leader = await leaderOf(topic);
    expect(await produceSet(leader, version, topic, ['a', 'b'])).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(await produceSet(leader, version, topic, ['c', 'd'], true)).toMatchObject({ errorCode: 0, baseOffset: 2 });
    leader.close();
    expect(await readAll(topic)).toEqual(['a', 'b', 'c', 'd']);
    const dump = await printed(
      tool('kafka-console-consumer', [
        ...B(),
        '--topic',
        topic,
        '--from-beginning',
        '--max-messages',
        '1',
        '--property',
        'print.timestamp=true',
        '--property',
        'print.key=true',
      ]),
    );
    expect(dump).toContain(version < 2 ? 'CreateTime:-1\tka\ta' : `CreateTime:${timestamp}\tka\ta`);
  });

  test.each([0, 1, 2, 3])('Fetch v%i: batches become message sets', async version => {
    const topic = `old-fetch-${version}`;
    await topicWith(topic, ['a', 'b', 'c']);
    await printed(
      tool('kafka-console-producer', [...B(), '--topic', topic, '--compression-codec', 'gzip'], { input: 'd\ne\n' }),
    );
    const leader = await leaderOf(topic);
    const found = await fetchSet(leader, version, topic, 1);
    expect(found).toEqual({
      errorCode: 0,
      messages: ['1  b', '2  c', '3  d', '4  e'],
      magic: version < 2 ? 0 : 1,
    });
    leader.close();
  });

  test('are refused where the topic says so, or has a codec that they do not know', async () => {
    await topicWith('not-converted', ['a']);
    await printed(
      tool('kafka-configs', [
        ...B(),
        '--alter',
        '--topic',
        'not-converted',
        '--add-config',
        'message.downconversion.enable=false',
      ]),
    );
    const leader = await leaderOf('not-converted');
    await waitFor(
      'the setting to be in force',
      async () => (await fetchSet(leader, 3, 'not-converted')).errorCode === ErrorCode.UNSUPPORTED_VERSION,
    );
    leader.close();
    await admin.createTopics([
      { name: 'modern', partitions: 1, replicationFactor: 1, configs: { 'compression.type': 'zstd' } },
    ]);
    await printed(tool('kafka-console-producer', [...B(), '--topic', 'modern'], { input: 'a\n' }));
    const other = await leaderOf('modern');
    expect((await fetchSet(other, 3, 'modern')).errorCode).toBe(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);
    other.close();
    expect(await readAll('modern')).toEqual(['a']);
  });
});

describe('reading from the nearest replica', () => {
  /** Bytes of the topic that consumers have read at a broker. */
  async function bytesOut(broker: BrokerProcess, topic: string): Promise<number> {
    const page = await (await fetch(`http://${broker.address}/metrics`)).text();
    const line = page
      .split('\n')
      .find(text => text.startsWith(`kafka_server_brokertopicmetrics_bytesout_total{topic="${topic}"}`));
    return Number(line?.split(' ')[1] ?? 0);
  }

  test('a consumer with a rack reads from the follower in it, one without from the leader', async () => {
    const [leader, follower] = cluster.brokers as [BrokerProcess, BrokerProcess];
    await admin.createTopics([{ name: 'near', assignment: [[0, 1]] }]);
    await printed(tool('kafka-console-producer', [...B(), '--topic', 'near'], { input: 'a\nb\n' }));
    const read = (...args: string[]) =>
      printed(
        tool('kafka-console-consumer', [...B(), '--topic', 'near', '--from-beginning', '--max-messages', '2', ...args]),
      );
    expect(await read()).toBe('a\nb\n');
    const fromLeader = await bytesOut(leader, 'near');
    expect(fromLeader).toBeGreaterThan(0);
    expect(await bytesOut(follower, 'near')).toBe(0);
    expect(await read('--consumer-property', 'client.rack=rack-1')).toBe('a\nb\n');
    expect(await bytesOut(follower, 'near')).toBeGreaterThan(0);
    expect(await bytesOut(leader, 'near')).toBe(fromLeader);
  });
});

describe('settings that change while the brokers run', () => {
  const configs = (...args: string[]) => tool('kafka-configs', [...B(), ...args]);
  const alterTopic = (topic: string, ...args: string[]) => printed(configs('--alter', '--topic', topic, ...args));

  /** Whether all brokers have heard of a topic's setting: a produce or a fetch goes by what its broker knows. */
  async function inForce(topic: string, name: string, value: string): Promise<void> {
    for (const broker of cluster.brokers.filter(({ running }) => running)) {
      const alone = createAdmin({ 'bootstrap.servers': broker.address });
      // Any broker tells the settings of topics as it knows them.
      const connection = await alone.connectionTo(broker.id);
      await waitFor(`${name}=${value} at broker ${broker.id}`, async () => {
        const resources = [{ resourceType: 2, resourceName: topic, configurationKeys: [name] }];
        const answer = await connection.call(DescribeConfigs, { resources, includeSynonyms: false });
        return answer!.results[0]!.configs[0]?.value === value;
      });
      alone.close();
    }
  }

  const produce = (topic: string, input: string, ...args: string[]) =>
    tool('kafka-console-producer', [...B(), '--topic', topic, '--sync', ...args], { input });

  async function earliest(topic: string): Promise<string> {
    return printed(tool('kafka-get-offsets', [...B(), '--topic', topic, '--time', 'earliest']));
  }

  function segmentFiles(topic: string): string[] {
    const [broker] = cluster.brokers;
    const directories = ['data', 'more'].map(name => join(broker!.dataDirectory, '..', name, `${topic}-0`));
    return readdirSync(directories.find(path => existsSync(path))!).filter(name => name.endsWith('.log'));
  }

  test('retention.ms of a topic, and log.retention.ms of the brokers, delete what is old', async () => {
    await topicWith('short-lived', ['a', 'b']);
    expect(await alterTopic('short-lived', '--add-config', 'retention.ms=1')).toBe(
      'Completed updating config for topic short-lived.\n',
    );
    await waitFor('the records to go', async () => (await earliest('short-lived')) === 'short-lived:0:2\n');
    await alterTopic('short-lived', '--delete-config', 'retention.ms');
    await inForce('short-lived', 'retention.ms', '604800000');
    await printed(produce('short-lived', 'c\n'));
    await printed(configs('--alter', '--broker-defaults', '--add-config', 'log.retention.ms=1'));
    await waitFor('the record to go', async () => (await earliest('short-lived')) === 'short-lived:0:3\n');
    await printed(configs('--alter', '--broker-defaults', '--delete-config', 'log.retention.ms'));
    await inForce('short-lived', 'retention.ms', '604800000');
  });

  test('segment.bytes begins new segments', async () => {
    await topicWith('small-segments', ['a', 'b', 'c']);
    expect(segmentFiles('small-segments')).toHaveLength(1);
    await alterTopic('small-segments', '--add-config', 'segment.bytes=200');
    await inForce('small-segments', 'segment.bytes', '200');
    for (const value of ['d', 'e', 'f']) await printed(produce('small-segments', `${value.repeat(50)}\n`));
    expect(segmentFiles('small-segments').length).toBeGreaterThan(1);
  });

  test('max.message.bytes of a topic, and message.max.bytes of the brokers, bound a batch', async () => {
    await topicWith('bounded', ['a']);
    const large = `${'x'.repeat(500)}\n`;
    await alterTopic('bounded', '--add-config', 'max.message.bytes=300');
    await inForce('bounded', 'max.message.bytes', '300');
    expect((await produce('bounded', large)).stderr).toMatch(/is \d+ bytes, more than the 300 of max.message.bytes/);
    await alterTopic('bounded', '--delete-config', 'max.message.bytes');
    await printed(configs('--alter', '--broker-defaults', '--add-config', 'message.max.bytes=400'));
    await inForce('bounded', 'max.message.bytes', '400');
    expect((await produce('bounded', large)).stderr).toMatch(/more than the 400 of max.message.bytes/);
    await printed(configs('--alter', '--broker-defaults', '--delete-config', 'message.max.bytes'));
    await inForce('bounded', 'max.message.bytes', '1048588');
    await printed(produce('bounded', large));
    expect(await readAll('bounded')).toEqual(['a', 'x'.repeat(500)]);
  });

  test('settings of brokers: for one or for all, thread counts in steps, what is not acted on is accepted', async () => {
    const list =
      'log.cleaner.threads=2,log.cleaner.backoff.ms=7,background.threads=12,num.replica.fetchers=2,num.io.threads=9';
    expect(await printed(configs('--alter', '--broker-defaults', '--add-config', list))).toBe(
      'Completed updating default config for brokers in the cluster.\n',
    );
    await printed(configs('--alter', '--broker', '0', '--add-config', 'log.cleaner.backoff.ms=8'));
    await waitFor('broker 0 to know', async () =>
      (await configs('--describe', '--broker', '0')).stdout.includes(
        '  log.cleaner.backoff.ms=8 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:log.cleaner.backoff.ms=8, ' +
          'DYNAMIC_DEFAULT_BROKER_CONFIG:log.cleaner.backoff.ms=7, DEFAULT_CONFIG:log.cleaner.backoff.ms=15000}',
      ),
    );
    expect(await printed(configs('--describe', '--broker-defaults'))).toContain('  background.threads=12 ');
    const tooMany = await configs('--alter', '--broker', '0', '--add-config', 'num.io.threads=100');
    expect(tooMany.code).toBe(1);
    expect(tooMany.stderr).toContain('num.io.threads cannot be "100"');
    const readOnly = await configs('--alter', '--broker-defaults', '--add-config', 'num.partitions=3');
    expect(readOnly.stderr).toContain('Cannot update these configs dynamically: num.partitions');
    await topicWith('after-the-change', ['a']);
    expect(await readAll('after-the-change')).toEqual(['a']);
  });

  test('limits of connections by address', async () => {
    const [, broker] = cluster.brokers;
    const isRefused = () =>
      new Promise<boolean>(resolve => {
        const socket = connect({ port: broker!.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
        socket.once('close', () => resolve(true)).once('error', () => {});
        // An ApiVersions request, so that a connection that is let in is answered.
        socket.once('data', () => socket.off('close', resolve).destroy() && resolve(false));
        socket.write(Buffer.from('0000000c00120000000000010002636c', 'hex'));
      });
    expect(await isRefused()).toBe(false);
    await printed(configs('--alter', '--broker', '1', '--add-config', 'max.connections.per.ip.overrides=127.0.0.2:0'));
    await waitFor('the limit to be in force', isRefused);
    await printed(configs('--alter', '--broker', '1', '--delete-config', 'max.connections.per.ip.overrides'));
    await waitFor('the limit to be gone', async () => !(await isRefused()));
  });

  test('levels of loggers', async () => {
    const [broker] = cluster.brokers;
    expect(await printed(configs('--describe', '--broker-logger', '0'))).toMatch(
      /^Dynamic configs for broker-logger 0 are:\n(?: {2}.*\n)* {2}kafka\.replication=INFO sensitive=false synonyms=\{\}\n/,
    );
    const says = (topic: string) => broker!.output.includes(`"topic":"${topic}","partition":0,"directory":`);
    expect(await printed(configs('--alter', '--broker-logger', '0', '--add-config', 'kafka.storage=WARN'))).toBe(
      'Completed updating config for broker-logger 0.\n',
    );
    await topicWith('untold', ['a']);
    await printed(configs('--alter', '--broker-logger', '0', '--delete-config', 'kafka.storage'));
    await topicWith('told', ['a']);
    await waitFor('a line about the new topic', () => says('told'));
    expect(says('untold')).toBe(false);
    expect((await configs('--alter', '--broker-logger', '0', '--add-config', 'nothing=DEBUG')).stderr).toContain(
      'Invalid broker logger(s): nothing',
    );
  });

  test('kafkajs replaces the settings of a topic', async () => {
    await topicWith('by-kafkajs', ['a']);
    await alterTopic('by-kafkajs', '--add-config', 'retention.bytes=1000000');
    const kafka = new Kafka({ brokers: cluster.bootstrap.split(','), logLevel: logLevel.NOTHING }).admin();
    await kafka.connect();
    const resource = { type: ConfigResourceTypes.TOPIC, name: 'by-kafkajs' };
    await kafka.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '86400000' }] }],
    });
    await inForce('by-kafkajs', 'retention.ms', '86400000');
    await inForce('by-kafkajs', 'retention.bytes', '-1');
    await kafka.disconnect();
  });

  // Last, because it takes brokers away.
  test('min.insync.replicas and unclean.leader.election.enable', async () => {
    const [first, second] = cluster.brokers as [BrokerProcess, BrokerProcess];
    await admin.createTopics([{ name: 'guarded', assignment: [[0, 1]] }]);
    await alterTopic('guarded', '--add-config', 'min.insync.replicas=2');
    await inForce('guarded', 'min.insync.replicas', '2');
    await printed(produce('guarded', 'a\n', '--request-required-acks', '-1'));
    await second.kill();
    const isr = async () => (await admin.describeTopic('guarded')).partitions[0]!.isr;
    await waitFor('the ISR to shrink', async () => (await isr()).join() === '0');
    const refused = await produce('guarded', 'b\n', '--request-required-acks', '-1', '--message-send-max-retries', '0');
    expect(refused.stderr).toContain('guarded-0 has 1 replicas in sync, and 2 are needed');
    await alterTopic('guarded', '--add-config', 'min.insync.replicas=1');
    await inForce('guarded', 'min.insync.replicas', '1');
    await printed(produce('guarded', 'c\n', '--request-required-acks', '-1'));

    await first.kill();
    await second.start();
    const leader = async () => (await admin.describeTopic('guarded')).partitions[0]!.leader;
    await waitFor('the partition to be offline', async () => (await leader()) === -1);
    await alterTopic('guarded', '--add-config', 'unclean.leader.election.enable=true');
    await waitFor('the replica outside the ISR to lead', async () => (await leader()) === 1);
    expect(await readAll('guarded')).toEqual(['a']);
    await first.start();
  });
});
