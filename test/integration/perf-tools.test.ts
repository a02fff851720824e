import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool, type Outcome } from '../support/run.ts';
import { readTopic } from '../support/steady-writer.ts';
import { waitFor } from '../support/wait.ts';

const ROOT = join(import.meta.dirname, '../..');
let cluster: Cluster;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-perf-'));
  cluster = await startCluster({ brokers: 1, properties: { 'num.partitions': '2' } });
});

afterAll(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
});

const B = () => ['--bootstrap-server', cluster.bootstrap];

/** The lines of the tool's standard output, when it ended well. */
async function printed(outcome: Promise<Outcome>): Promise<string[]> {
  const { code, stdout, stderr } = await outcome;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trimEnd().split('\n');
}

describe('kafka-producer-perf-test and kafka-consumer-perf-test', () => {
  const props = () => ['--producer-props', `bootstrap.servers=${cluster.bootstrap}`, 'acks=all'];
  const perf = (...args: string[]) => tool('kafka-producer-perf-test', args);
  const read = (topic: string, ...args: string[]) =>
    tool('kafka-consumer-perf-test.sh', [...B(), '--topic', topic, ...args]);

  test('what one writes the other reads, both with Kafka’s lines', async () => {
    const size = ['--record-size', '100', '--throughput', '-1'];
    const lines = await printed(perf('--topic', 'perf', '--num-records', '50000', ...size, ...props()));
    expect(lines.at(-1)).toMatch(
      /^50000 records sent, \d+\.\d{6} records\/sec \(\d+\.\d\d MB\/sec\), \d+\.\d\d ms avg latency, \d+\.\d\d ms max latency, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99\.9th\.$/,
    );
    const [header, line] = await printed(read('perf', '--messages', '50000'));
    expect(header).toMatch(/^start\.time, end\.time, data\.consumed\.in\.MB, /);
    expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}, \d{4}-.*, 4\.7684, \d+\.\d{4}, 50000, /);
    const detailed = ['--show-detailed-stats', '--hide-header', '--reporting-interval', '1'];
    const details = await printed(read('perf', '--messages', '50000', ...detailed));
    expect(details[0]).toMatch(/^\d{4}-.*:\d{3}, 0, \d\.\d{4}, \d+\.\d{4}, \d+, \d+\.\d{4}, \d+, \d+, /);
  });

  test('a throughput is kept, payloads come from a file or are numbers', async () => {
    const file = join(directory, 'payloads');
    writeFileSync(file, 'one\ntwo\n');
    const start = performance.now();
    const paced = ['--num-records', '100', '--throughput', '100', '--payload-file', file];
    await printed(perf('--topic', 'paced', ...paced, ...props()));
    expect(performance.now() - start).toBeGreaterThan(990);
    const values = await readTopic(cluster.bootstrap, 'paced', 2);
    expect(values.size).toBe(100);
    expect(new Set(values.values())).toEqual(new Set(['one', 'two']));
    await printed(
      perf('--topic', 'numbers', '--num-records', '30', '--throughput', '-1', '--payload-monotonic', ...props()),
    );
    const numbers = [...(await readTopic(cluster.bootstrap, 'numbers', 2)).values()].map(Number);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  describe.each(['kafka', 'http2'])('in transactions (%s)', dialect => {
    const sent = ['--num-records', '400', '--record-size', '10', '--throughput', '1000'];
    const inDialect = () => [...props(), `samsa.dialect=${dialect}`];
    const described = (id: string) =>
      printed(tool('kafka-transactions', [...B(), 'describe', '--transactional-id', id])).then(lines => lines[1]);

    test('all is committed, one transaction after the other, under the id that is given', async () => {
      const topic = `committed-${dialect}`;
      const id = `perf-${dialect}`;
      const ids = ['--transactional-id', id, '--transaction-duration-ms', '1'];
      await tool('kafka-topics', [...B(), '--create', '--topic', topic, '--partitions', '1']);
      // That of the option goes before that of the settings, as in Kafka's tool.
      const lines = await printed(perf('--topic', topic, ...sent, ...ids, ...inDialect(), 'transactional.id=another'));
      expect(lines.at(-1)).toMatch(/^400 records sent, \d+\.\d{6} records\/sec .* 99\.9th\.$/);
      expect(await described(id)).toMatch(new RegExp(`^\\d+\\s+${id}\\s+\\d+\\s+0\\s+(Prepare|Complete)Commit\\s`));
      const all = ['--from-beginning', '--isolation-level', 'read_committed', '--max-messages', '400'];
      const read = await tool('kafka-console-consumer', [...B(), '--topic', topic, ...all, '--timeout-ms', '30000']);
      expect(read.stdout.trimEnd().split('\n')).toHaveLength(400);
      const ends = await printed(tool('kafka-get-offsets', [...B(), '--topic', topic]));
      // Each transaction has its marker. No burst has more than 250 records, so that there are two even on a slow machine.
      expect(Number(ends[0]!.split(':')[2])).toBeGreaterThanOrEqual(400 + 2);
    });

    test('without an id there is one that all have', async () => {
      const args = ['--topic', `unnamed-${dialect}`, ...sent, '--transaction-duration-ms', '60000'];
      await printed(perf(...args, ...inDialect()));
      expect(await described('performance-producer-default-transactional-id')).toMatch(/\s(Prepare|Complete)Commit\s/);
    });
  });

  test('an id alone makes no transactions', async () => {
    const few = ['--num-records', '5', '--record-size', '10', '--throughput', '-1', '--transactional-id', 'unused'];
    expect(await printed(perf('--topic', 'plain', ...few, ...props()))).toHaveLength(1);
    const ends = await printed(tool('kafka-get-offsets', [...B(), '--topic', 'plain']));
    expect(ends.reduce((sum, line) => sum + Number(line.split(':')[2]), 0)).toBe(5);
  });

  test('who waits in vain is told so, and still gets a line', async () => {
    const lines = await printed(read('numbers', '--messages', '31', '--timeout', '5000'));
    expect(lines[1]).toMatch(/^WARNING: Exiting before consuming .* timeout \(5000 ms\) exceeded\./);
    expect(lines[2]).toContain(', 30, ');
  });

  test.each([
    [['--record-size', '1', '--payload-monotonic'], 'Exactly one of --record-size'],
    [['--payload-file', '/nowhere'], '/nowhere'],
    [['--record-size', '1', '--transaction-duration-ms', 'long'], 'transaction-duration-ms'],
  ])('%j is refused', async (args, message) => {
    const outcome = await perf('--topic', 't', '--num-records', '1', '--throughput', '1', ...args, ...props());
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toContain(message);
  });

  test('settings of the producer are asked for', async () => {
    const args = ['--topic', 't', '--num-records', '1', '--throughput', '1', '--record-size', '1'];
    expect((await perf(...args)).stderr).toContain('Either --producer-props or --producer.config must be specified.');
  });
});

describe('kafka-verifiable-producer', () => {
  interface Event {
    readonly name: string;
    readonly [field: string]: unknown;
  }
  const events = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Event);

  test('tells of every message, and of all at the end', async () => {
    const args = ['--max-messages', '6', '--repeating-keys', '2', '--value-prefix', '7', '--message-create-time', '5'];
    const outcome = await tool('kafka-verifiable-producer', [...B(), '--topic', 'verified', ...args]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const all = events(outcome.stdout);
    expect(all.map(({ name }) => name)).toEqual([
      'startup_complete',
      ...new Array<string>(6).fill('producer_send_success'),
      'shutdown_complete',
      'tool_data',
    ]);
    expect(all.at(-1)).toMatchObject({ sent: 6, acked: 6, target_throughput: -1 });
    const sent = all.slice(1, 7).map(({ key, value }) => `${key as string}:${value as string}`);
    expect(sent.sort()).toEqual(['0:7.0', '0:7.2', '0:7.4', '1:7.1', '1:7.3', '1:7.5']);
    expect(Object.keys(all[1]!)).toEqual(['timestamp', 'name', 'key', 'value', 'offset', 'topic', 'partition']);
  });

  test('a signal ends it, with nothing untold', async () => {
    const child = spawn(join(ROOT, 'bin/kafka-verifiable-producer'), [
      ...B(),
      ...['--topic', 'stopped', '--throughput', '200'],
    ]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise(resolve => child.once('close', resolve));
    try {
      await waitFor('messages', () => output.includes('producer_send_success'));
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
    const all = events(output);
    expect(all.slice(-2).map(({ name }) => name)).toEqual(['shutdown_complete', 'tool_data']);
    const successes = all.filter(({ name }) => name === 'producer_send_success').length;
    expect(all.at(-1)).toMatchObject({ sent: successes, acked: successes, target_throughput: 200 });
  });

  test('what cannot be sent is told as such', async () => {
    const config = join(directory, 'small.properties');
    writeFileSync(config, 'max.request.size=1\n');
    const args = ['--topic', 'verified', '--max-messages', '1', '--producer.config', config];
    const { stdout } = await tool('kafka-verifiable-producer', [...B(), ...args]);
    expect(events(stdout)[1]).toMatchObject({ name: 'producer_send_error', key: null, value: '0', topic: 'verified' });
    expect(events(stdout).at(-1)).toMatchObject({ sent: 1, acked: 0 });
  });
});

test('kafka-e2e-latency measures each message there and back', async () => {
  const lines = await printed(tool('kafka-e2e-latency', [cluster.bootstrap, 'there-and-back', '1500', '1', '100']));
  expect(lines[0]).toContain('Topic "there-and-back" does not exist. Will create topic');
  expect(lines[1]).toMatch(/^0\t\d+(\.\d+)?$/);
  expect(lines[2]).toMatch(/^1000\t\d/);
  expect(lines[3]).toMatch(/^Avg latency: \d+\.\d{4} ms$/);
  expect(lines.at(-1)).toMatch(/^Percentiles: 50th = \d+, 99th = \d+, 99\.9th = \d+$/);
  const refused = await tool('kafka-e2e-latency.sh', [cluster.bootstrap, 't', '1', '0', '1']);
  expect(refused.stderr).toContain('Latency testing requires synchronous acknowledgement. Please use 1 or all');
  expect(refused.code).toBe(1);
});

describe('kafka-cluster', () => {
  test('tells the id that brokers have', async () => {
    const [line] = await printed(tool('kafka-cluster', ['cluster-id', ...B()]));
    expect(line).toMatch(/^Cluster ID: [\w-]{22}$/);
    expect(await printed(tool('kafka-cluster.sh', ['cluster-id', '-b', cluster.bootstrap]))).toEqual([line]);
  });

  test('unregisters nobody, as there is nothing to unregister with ZooKeeper', async () => {
    const lines = await printed(tool('kafka-cluster', ['unregister', ...B(), '--id', '0']));
    expect(lines).toEqual(['The cluster does not support the broker unregistration API.']);
    expect((await tool('kafka-cluster', ['unregister', ...B()])).stderr).toContain('Missing required argument "[id]"');
    expect((await tool('kafka-cluster', ['register'])).stderr).toContain("invalid choice: 'register'");
  });
});
