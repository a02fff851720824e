import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { run } from '../support/run.ts';

/** kcat (librdkafka) against one broker: the oldest and most widespread C client, over the Kafka protocol. */

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ brokers: 1, properties: { 'num.partitions': '3' } });
});

afterAll(() => cluster.stop());

const kcat = (args: string[], input = '') => run('kcat', ['-b', cluster.bootstrap, ...args], { input });

test('lists the cluster', async () => {
  const { stdout, code } = await kcat(['-L']);
  expect(code).toBe(0);
  expect(stdout).toContain(`broker 0 at 127.0.0.1:${cluster.brokers[0]!.port} (controller)`);
});

test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('what is produced with %s comes back', async codec => {
  const topic = `kcat-${codec}`;
  const lines = Array.from({ length: 500 }, (_, i) => `key-${i}:value ${i} with some text that compresses, text, text`);
  const produced = await kcat(['-P', '-t', topic, '-K:', '-z', codec], `${lines.join('\n')}\n`);
  expect(produced).toMatchObject({ code: 0, stderr: '' });
  const consumed = await kcat(['-C', '-t', topic, '-e', '-q', '-K:', '-o', 'beginning']);
  expect(consumed.code).toBe(0);
  expect(consumed.stdout.trimEnd().split('\n').sort()).toEqual([...lines].sort());
});

test('a topic that is asked for is created, with partitions by num.partitions', async () => {
  await kcat(['-P', '-t', 'kcat-auto'], 'x\n');
  const { stdout } = await kcat(['-L', '-t', 'kcat-auto']);
  expect(stdout).toContain('topic "kcat-auto" with 3 partitions');
});

test('consuming from an offset and by timestamp', async () => {
  await kcat(['-P', '-t', 'kcat-offsets', '-p', '0'], 'a\nb\nc\nd\n');
  const fromTwo = await kcat(['-C', '-t', 'kcat-offsets', '-p', '0', '-o', '2', '-e', '-q', '-f', '%o=%s\n']);
  expect(fromTwo.stdout).toBe('2=c\n3=d\n');
  const lastOne = await kcat(['-C', '-t', 'kcat-offsets', '-p', '0', '-o', '-1', '-e', '-q']);
  expect(lastOne.stdout).toBe('d\n');
  const byTime = await kcat(['-C', '-t', 'kcat-offsets', '-p', '0', '-o', 's@1000000000000', '-e', '-q']);
  expect(byTime.stdout).toBe('a\nb\nc\nd\n');
});
