import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { absenceOf, apacheTool, javaArguments, whereAbsent } from '../support/apache-kafka.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { freePorts } from '../support/free-ports.ts';
import { run, tool, type Outcome } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';
import { ZooKeeperProcess } from '../support/zookeeper-process.ts';
import { Znodes } from '../support/znodes.ts';

/**
 * One log directory, one ZooKeeper, and in turns a broker of Apache Kafka and one of Samsa on them: each reads what the
 * other wrote, and writes on. Apache's kafka-dump-log reads what Samsa wrote.
 */

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const LINES = 400;
const TOPIC = 'handed-over';

let directory: string;
let zookeeper: ZooKeeperProcess;
let znodes: Znodes;
let apache: BrokerProcess;
let samsa: BrokerProcess;

/** What a tool printed, when it ended well. */
async function printed(outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  expect(code, stdout + stderr).toBe(0);
  return stdout;
}

const bootstrap = (): string[] => ['--bootstrap-server', samsa.address];
const kcat = (args: string[], input = '') => printed(run('kcat', ['-b', samsa.address, ...args], { input }));

const lines = (writer: string, codec: string): string[] =>
  Array.from({ length: LINES }, (_, i) => `${writer}-${codec}:line ${i} of text, of text, of text`);

/** Writes with every codec, in small batches, so that there are several segments. */
async function write(writer: string, produce: (codec: string, input: string) => Promise<unknown>): Promise<void> {
  for (const codec of CODECS) await produce(codec, `${lines(writer, codec).join('\n')}\n`);
}

const byKcat = (codec: string, input: string) =>
  kcat(
    ['-P', '-t', TOPIC, '-p', '0', '-K:', '-z', codec, '-X', 'enable.idempotence=true', '-X', 'batch.size=600'],
    input,
  );

/** kcat of this age leaves lz4 uncompressed for Samsa (docs/COMPATIBILITY.md), hence our own, idempotent by default. */
const byOurs = (codec: string, input: string) => {
  const keys = ['--property', 'parse.key=true', '--property', 'key.separator=:'];
  const batches = ['--compression-codec', codec, '--producer-property', 'batch.size=600'];
  const args = [...bootstrap(), '--topic', TOPIC, ...keys, ...batches];
  return printed(tool('kafka-console-producer', args, { input }));
};

/** Every record of the topic from the beginning, as `key:value`. */
async function everything(): Promise<string[]> {
  const output = await kcat(['-C', '-t', TOPIC, '-p', '0', '-o', 'beginning', '-e', '-q', '-K:']);
  return output.trimEnd().split('\n');
}

/** The offsets that the broker tells: first, end, after a moment long ago, and that of the latest timestamp. */
function offsets(): Promise<string[]> {
  const latest = [...bootstrap(), '--topic', TOPIC, '--time', 'max-timestamp'];
  return Promise.all([
    kcat(['-Q', ...['-2', '-1', '1'].flatMap(time => ['-t', `${TOPIC}:0:${time}`])]),
    printed(apacheTool('3.9', 'org.apache.kafka.tools.GetOffsetShell', latest)),
  ]);
}

const written = (...writers: string[]): string[] =>
  writers.flatMap(writer => CODECS.flatMap(codec => lines(writer, codec)));

/** A broker that has just started does not yet lead. */
const led = () =>
  waitFor('a leader', async () =>
    /partition 0, leader 0,/.test((await run('kcat', ['-b', samsa.address, '-L', '-t', TOPIC])).stdout),
  );

/** Ends a broker by kill -9 and waits until ZooKeeper has forgotten it. */
async function crash(broker: BrokerProcess): Promise<void> {
  await broker.kill();
  await waitFor('the registration to be gone', async () => !(await znodes.exists('/brokers/ids/0')));
}

describe.skipIf(absenceOf('3.9') !== null)(
  whereAbsent('3.9', 'log directories handed over to and from Apache Kafka 3.9'),
  () => {
    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'samsa-apache-'));
      zookeeper = await ZooKeeperProcess.start({ directory: join(directory, 'zookeeper') });
      znodes = await Znodes.open(zookeeper.connectString);
      const own = join(directory, 'broker');
      mkdirSync(own);
      const options = { id: 0, port: (await freePorts(1))[0]!, zookeeper: zookeeper.connectString, directory: own };
      samsa = new BrokerProcess(options);
      apache = new BrokerProcess({ ...options, command: ['java', ...javaArguments('3.9', 'kafka.Kafka')] });
    });

    afterAll(async () => {
      await znodes?.close();
      await apache?.kill();
      await samsa?.kill();
      await zookeeper?.kill();
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    });

    test('what an Apache broker wrote until it was killed opens in Samsa, which appends', async () => {
      await apache.start();
      const small = ['--config', 'segment.bytes=20000', '--config', 'index.interval.bytes=500'];
      const create = [...bootstrap(), '--create', '--topic', TOPIC, '--replica-assignment', '0', ...small];
      await printed(apacheTool('3.9', 'org.apache.kafka.tools.TopicCommand', create));
      await write('apache', byKcat);
      await crash(apache);

      await samsa.start();
      await led();
      expect(await everything()).toEqual(written('apache'));
      await write('samsa', byOurs);
      expect(await everything()).toEqual(written('apache', 'samsa'));
    });

    test('kafka-dump-log reads every file of Samsa without complaint', async () => {
      const folder = join(samsa.dataDirectory, `${TOPIC}-0`);
      const files = (...extensions: string[]): string =>
        readdirSync(folder)
          .filter(name => extensions.some(extension => name.endsWith(extension)))
          .map(name => join(folder, name))
          .join(',');
      const dump = async (...args: string[]): Promise<string> => {
        const outcome = apacheTool('3.9', 'kafka.tools.DumpLogSegments', args);
        expect((await outcome).stderr).toBe('');
        return printed(outcome);
      };
      const [data, sane, indexes] = await Promise.all([
        dump('--deep-iteration', '--print-data-log', '--files', files('.log', '.index', '.timeindex', '.snapshot')),
        dump('--index-sanity-check', '--files', files('.index', '.timeindex')),
        dump('--verify-index-only', '--files', files('.index', '.timeindex')),
      ]);
      for (const line of written('apache', 'samsa'))
        expect(data).toContain(` key: ${line.replace(':', ' payload: ')}\n`);
      for (const codec of CODECS) expect(data).toContain(`compresscodec: ${codec} `);
      expect(data).toMatch(/^producerId: \d+ producerEpoch: 0 .* lastSequence: \d+ /m);
      for (const output of [data, indexes])
        expect(output).not.toMatch(/mismatch|isvalid: false|Non-consecutive|out of order|not find/i);
      const passed = sane.split('\n').filter(line => / passed sanity check\.$| is empty\.$/.test(line));
      expect(passed).toHaveLength(files('.index', '.timeindex').split(',').length);
    });

    test('what a Samsa broker wrote opens in an Apache broker, which appends; and back once more', async () => {
      expect(samsa.running, samsa.output).toBe(true);
      const mine = await offsets();
      expect(await samsa.stop()).toBe(0);
      expect(existsSync(join(samsa.dataDirectory, '.kafka_cleanshutdown'))).toBe(true);

      await apache.start();
      await led();
      expect(await offsets()).toEqual(mine);
      expect(await everything()).toEqual(written('apache', 'samsa'));
      await write('again', byKcat);
      await apache.stop();

      await samsa.start();
      await led();
      expect(await everything()).toEqual(written('apache', 'samsa', 'again'));
      expect(apache.output).not.toMatch(/^(WARN|ERROR|FATAL) .*handed-over/m);
    });
  },
);
