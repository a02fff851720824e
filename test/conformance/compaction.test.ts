import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProducer } from '../../client/index.ts';
import { absenceOf, apacheTool, whereAbsent } from '../support/apache-kafka.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

/** What Samsa compacted, read by Apache's kafka-dump-log. */

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const ROUNDS = 40;
const KEYS = 9;
const TOPIC = 'compacted';

let cluster: Cluster;

const broker = () => cluster.brokers[0]!;
const folder = () => join(broker().dataDirectory, `${TOPIC}-0`);
const files = (extension: string): string[] =>
  readdirSync(folder())
    .filter(name => name.endsWith(extension))
    .sort()
    .map(name => join(folder(), name));

/** Writes each key again and again, with values that say the round, by each codec; the last of them deletes one. */
async function write(codec: string): Promise<void> {
  const producer = createProducer({
    'bootstrap.servers': cluster.bootstrap,
    'compression.type': codec,
    'batch.size': 700,
    'linger.ms': 1,
  });
  for (let round = 0; round < ROUNDS; round++) {
    for (let key = 0; key < KEYS; key++) {
      const isLast = round === ROUNDS - 1 && key === 0;
      const value = isLast ? null : `${codec} value of round ${round} ${'x'.repeat(40)}`;
      void producer.send({ topic: TOPIC, key: `${codec}-${key}`, value });
    }
  }
  await producer.flush();
  await producer.close();
}

async function dump(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await apacheTool('3.9', 'kafka.tools.DumpLogSegments', args);
  // It says so of every gap, which is what compaction makes.
  const complaints = stderr
    .split('\n')
    .filter(line => !/^(Non-consecutive offsets in |\s*\d+ is followed by \d+)|^$/.test(line));
  expect([code, ...complaints], stdout).toEqual([0]);
  return stdout;
}

describe.skipIf(absenceOf('3.9') !== null)(whereAbsent('3.9', 'a compacted log, by Apache Kafka 3.9'), () => {
  beforeAll(async () => {
    cluster = await startCluster({
      brokers: 1,
      properties: { 'log.cleaner.backoff.ms': '200', 'log.segment.delete.delay.ms': '100' },
    });
    const configs = ['cleanup.policy=compact', 'segment.bytes=6000', 'min.cleanable.dirty.ratio=0.01'];
    const create = ['--bootstrap-server', broker().address, '--create', '--topic', TOPIC, '--partitions', '1'];
    const outcome = await tool('kafka-topics', [...create, ...configs.flatMap(config => ['--config', config])]);
    expect(outcome.code, outcome.stderr).toBe(0);
  });

  afterAll(() => cluster?.stop());

  test('is sound, and has what should be left: the last values, tombstones with a horizon, producers’ last batches', async () => {
    for (const codec of CODECS) await write(codec);
    const checkpoint = join(broker().dataDirectory, 'cleaner-offset-checkpoint');
    const active = () => Number(files('.log').at(-1)!.slice(-24, -4));
    await waitFor('all before the active segment to be clean', () => {
      const text = existsSync(checkpoint) ? readFileSync(checkpoint, 'utf8') : '';
      return text === `0\n1\n${TOPIC} 0 ${active()}\n`;
    });
    const [data, sane] = await Promise.all([
      dump('--deep-iteration', '--print-data-log', '--files', files('.log').slice(0, -1).join(',')),
      dump('--index-sanity-check', '--files', [...files('.index'), ...files('.timeindex')].join(',')),
    ]);
    expect(data).not.toMatch(/isvalid: false|not find/i);
    expect(sane).not.toMatch(/mismatch|out of order/i);
    const keys = [...data.matchAll(/^\| offset: .* key: (\S+)(?: payload: (.*))?$/gm)];
    expect(new Set(keys.map(([, key]) => key)).size).toBe(keys.length);
    for (const codec of CODECS.slice(0, -1)) {
      for (let key = 1; key < KEYS; key++) {
        expect(data).toContain(` key: ${codec}-${key} payload: ${codec} value of round ${ROUNDS - 1} `);
      }
      expect(data).toMatch(new RegExp(` valueSize: -1 .* key: ${codec}-0$`, 'm'));
      expect(data).toMatch(new RegExp(` deleteHorizonMs: OptionalLong\\[\\d+\\] .* compresscodec: ${codec} `));
    }
  });
});
