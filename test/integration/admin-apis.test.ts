import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, type Admin } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool, type Outcome } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

let cluster: Cluster;
let directory: string;
let admin: Admin;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-admin-apis-'));
  // Relative to the directory in which each broker is started.
  cluster = await startCluster({ brokers: 2, properties: { 'log.dirs': 'data,more' } });
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
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
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
