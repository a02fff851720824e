import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { apacheTool } from './apache-java.ts';

/** What a producing client is to do. */
export interface Production {
  readonly bootstrap: string;
  readonly topic: string;
  readonly acks: 'all' | '1';
  readonly codec: 'none' | 'lz4';
  /** Bytes of a record's value; there are no keys and no headers. */
  readonly recordBytes: number;
  readonly records: number;
}

/** A client that has not come to its end by then never will. */
const TIME_LIMIT_MS = 180_000;

/**
 * kafka-producer-perf-test with the producer as it is out of the box: batches of 16 KiB, no lingering. Its records are random
 * lines of `file`: without a file it makes up every byte of every record, which is most of what it then does. Gives the
 * seconds from its first record to the last acknowledgement, the start of the JVM not among them.
 * @param transaction puts the records into transactions, each of which is open for so long
 */
export async function javaProduce(
  what: Production,
  file: string,
  transaction?: { readonly id: string; readonly durationMs: number },
): Promise<number> {
  const { bootstrap, topic, acks, codec, records } = what;
  const properties = [`bootstrap.servers=${bootstrap}`, `acks=${acks}`, `compression.type=${codec}`];
  const tool = apacheTool('org.apache.kafka.tools.ProducerPerformance');
  const payload = ['--num-records', String(records), '--payload-file', file];
  const settings = ['--throughput', '-1', '--producer-props', ...properties];
  if (transaction !== undefined)
    settings.unshift('--transactional-id', transaction.id, '--transaction-duration-ms', String(transaction.durationMs));
  const output = await ended(started('java', [...tool, '--topic', topic, ...payload, ...settings]));
  const rate = new RegExp(`^${records} records sent, ([\\d.]+) records/sec`, 'm').exec(output)?.[1];
  if (rate === undefined) throw new Error(`kafka-producer-perf-test did not send ${records} records:\n${output}`);
  return records / Number(rate);
}

/**
 * kcat, with batches of up to `batchBytes` that it waits 5 ms for. Each line of `file` is a record. Gives the seconds it ran.
 */
export async function kcatProduce(
  { bootstrap, topic, acks, codec }: Production,
  file: string,
  batchBytes = 1_000_000,
): Promise<number> {
  const queue = ['queue.buffering.max.messages=1000000', 'linger.ms=5', `batch.size=${batchBytes}`];
  const settings = [...queue, `acks=${acks}`, `compression.codec=${codec}`];
  const before = performance.now();
  await ended(started('kcat', ['-b', bootstrap, '-t', topic, '-P', '-l', file, ...asOptions(settings)]));
  return (performance.now() - before) / 1000;
}

/** What librdkafka reads ahead; its default leaves it waiting for the application's next poll. */
const READ_AHEAD = ['queued.min.messages=1000000', 'queued.max.messages.kbytes=262144'];

/** kcat reads `records` records from the beginning on, and writes none. Gives the seconds it ran. */
export async function kcatConsume(bootstrap: string, topic: string, records: number): Promise<number> {
  const what = ['-C', '-o', 'beginning', '-c', String(records), '-f', '', '-q'];
  const before = performance.now();
  await ended(started('kcat', ['-b', bootstrap, '-t', topic, ...what, ...asOptions(READ_AHEAD)]));
  return (performance.now() - before) / 1000;
}

/** kcat reads `records` records as the only member of a group, and writes none. Gives the seconds it ran. */
export async function kcatConsumeInGroup(
  bootstrap: string,
  topic: string,
  group: string,
  records: number,
): Promise<number> {
  const settings = asOptions([...READ_AHEAD, 'auto.offset.reset=earliest']);
  const what = ['-G', group, '-c', String(records), '-f', '', '-q'];
  const before = performance.now();
  await ended(started('kcat', ['-b', bootstrap, ...what, ...settings, topic]));
  return (performance.now() - before) / 1000;
}

/** A kcat that waits at the end of all `partitions` for the next `records` records. */
export class KcatTail {
  /** Resolves when it has read them all. */
  readonly finished: Promise<unknown>;
  readonly #child: Client;

  private constructor(child: Client, finished: Promise<unknown>) {
    this.#child = child;
    this.finished = finished;
  }

  /** Resolves when it has reached the end of all partitions. */
  static async start(bootstrap: string, topic: string, partitions: number, records: number): Promise<KcatTail> {
    const what = ['-C', '-o', 'end', '-c', String(records), '-f', ''];
    const child = started('kcat', ['-b', bootstrap, '-t', topic, ...what, ...asOptions(READ_AHEAD)]);
    const tail = new KcatTail(child, ended(child));
    const atEnd = new Promise<void>(resolve => {
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.split('Reached end of topic').length - 1 >= partitions) resolve();
      });
    });
    await Promise.race([atEnd, tail.finished]);
    return tail;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

function asOptions(settings: readonly string[]): string[] {
  return settings.flatMap(setting => ['-X', setting]);
}

type Client = ChildProcessByStdio<null, Readable, Readable>;

/** Dies with this process. */
function started(program: string, args: readonly string[]): Client {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What the program has written to stdout once it has ended well. */
async function ended(child: Client): Promise<string> {
  let output = '';
  let complaints = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-2_000)));
  const timer = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT_MS);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${String(code)}: ${complaints}`);
  return output;
}
