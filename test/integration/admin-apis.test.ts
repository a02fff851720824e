import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, type Admin } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool, type Outcome } from '../support/run.ts';

let cluster: Cluster;
let directory: string;
let admin: Admin;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-admin-apis-'));
  cluster = await startCluster({ brokers: 2 });
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
