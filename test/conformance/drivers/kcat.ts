import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { run } from '../../support/run.ts';
import type { DriverRecord, ReadRecord, Start } from '../matrix/foreign-client.ts';
import { kcatMember } from './kcat-member.ts';
import { answerLines } from './lines.ts';

/** kcat (librdkafka), one process a command. Timestamps of what it writes are its own. */

interface JsonRecord {
  readonly offset: number;
  readonly ts: number;
  readonly key: string | null;
  readonly payload: string;
  readonly headers?: readonly string[];
}

const SEPARATOR = '\t';
let bootstrap: string;
const transactionalIds = new Map<string, string>();

async function kcat(args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await run('kcat', ['-b', bootstrap, ...args], { input });
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

function startOf(from: Start): string {
  if (from === 'beginning') return from;
  return 'offset' in from ? String(from.offset) : `s@${from.timestamp}`;
}

function read({ offset, ts, key, payload, headers = [] }: JsonRecord): ReadRecord {
  const pairs = Array.from({ length: headers.length / 2 }, (_, n) => [headers[2 * n]!, headers[2 * n + 1]!] as const);
  return { offset, timestamp: ts, key, value: payload, headers: pairs };
}

/** The arguments and the input that have records written which agree in partition and headers. */
function asInput(records: readonly DriverRecord[]): { args: string[]; input: string } {
  const [{ partition, headers, key }] = records as [DriverRecord, ...DriverRecord[]];
  const args = headers.flatMap(([name, content]) => ['-H', `${name}=${content}`]);
  if (partition !== null) args.push('-p', String(partition));
  if (key !== null) args.push('-K', SEPARATOR);
  const lines = records.map(record => (record.key === null ? record.value : record.key + SEPARATOR + record.value));
  return { args, input: `${lines.join('\n')}\n` };
}

await answerLines({
  async hello(request) {
    ({ bootstrap } = request);
    const { stdout } = await run('kcat', ['-V']);
    const [, version, library] = /Version (\S+).*librdkafka (\S+?)[, ]/s.exec(stdout)!;
    return { version: `${version!} (librdkafka ${library!})` };
  },
  async produce({ topic, codec, acks, idempotent, records }) {
    const { args, input } = asInput(records);
    const settings = [`acks=${acks}`, `enable.idempotence=${idempotent}`, 'linger.ms=20'].flatMap(s => ['-X', s]);
    await kcat(['-P', '-t', topic, '-z', codec, ...settings, ...args], input);
    return {};
  },
  async consume({ topic, partition, from, until, isolation }) {
    const place = ['-t', topic, '-p', String(partition), '-o', startOf(from)];
    const args = ['-b', bootstrap, '-C', '-J', '-u', ...place, '-X', `isolation.level=${isolation}`];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'kcat', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const records: ReadRecord[] = [];
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        records.push(read(JSON.parse(line) as JsonRecord));
        if (records.at(-1)!.value === until) return { records };
      }
      throw new Error(`kcat ended after ${records.length} records`);
    } finally {
      child.kill();
    }
  },
  async offset({ topic, partition, at }) {
    const time = at === 'earliest' ? -2 : at === 'latest' ? -1 : at;
    const answer = await kcat(['-Q', '-t', `${topic}:${partition}:${time}`]);
    return { offset: Number(/offset (-?\d+)/.exec(answer)![1]) };
  },
  openProducer({ producer, transactionalId }) {
    transactionalIds.set(producer, transactionalId);
    return Promise.resolve({});
  },
  async transact({ topic, producer, records }) {
    const { args, input } = asInput(records);
    await kcat(['-P', '-t', topic, '-X', `transactional.id=${transactionalIds.get(producer)!}`, ...args], input);
    return {};
  },
  ...kcatMember(() => bootstrap),
});
