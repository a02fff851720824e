import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { DialectProxy } from '../support/dialect-proxy.ts';
import { freePorts } from '../support/free-ports.ts';
import { tool } from '../support/run.ts';

/** Every tool that talks to brokers does so in either dialect, as its file of settings says. */

let cluster: Cluster;
let proxy: DialectProxy;
const directory = mkdtempSync(join(tmpdir(), 'samsa-dialects-'));

beforeAll(async () => {
  const [clients, brokers] = await freePorts(2);
  proxy = await DialectProxy.start(clients!);
  cluster = await startCluster({
    brokers: 1,
    properties: {
      // What the broker says to itself does not go through the proxy.
      listeners: `CLIENTS://127.0.0.1:${clients!},BROKERS://127.0.0.1:${brokers!}`,
      'advertised.listeners': `CLIENTS://127.0.0.1:${proxy.port},BROKERS://127.0.0.1:${brokers!}`,
      'listener.security.protocol.map': 'CLIENTS:PLAINTEXT,BROKERS:PLAINTEXT',
      'inter.broker.listener.name': 'BROKERS',
    },
  });
});

afterAll(async () => {
  await proxy?.close();
  await cluster?.stop();
  rmSync(directory, { recursive: true, force: true });
});

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

interface Use {
  /** Without the brokers' addresses. */
  readonly args: readonly string[];
  /** How the tool takes settings. */
  readonly settings: string;
  readonly input?: string;
  readonly prints: RegExp;
}

/** By tool, in the order in which they can be run on the topic. */
function uses(topic: string): Record<string, Use> {
  const partition = [{ topic, partition: 0 }];
  const offsets = file('offsets.json', JSON.stringify({ partitions: [{ ...partition[0], offset: 1 }], version: 1 }));
  const moves = file('moves.json', JSON.stringify({ partitions: [{ ...partition[0], replicas: [0] }], version: 1 }));
  const on = ['--topic', topic];
  const command = '--command-config';
  return {
    'kafka-topics': { args: ['--create', ...on], settings: command, prints: /^Created topic/ },
    'kafka-configs': {
      args: ['--alter', '--entity-type', 'topics', '--entity-name', topic, '--add-config', 'retention.ms=1000000'],
      settings: command,
      prints: /^Completed updating config for topic/,
    },
    'kafka-console-producer': { args: on, settings: '--producer.config', input: 'one\ntwo\n', prints: /^>*$/ },
    'kafka-console-consumer': {
      args: [...on, '--partition', '0', '--offset', 'earliest', '--max-messages', '2'],
      settings: '--consumer.config',
      prints: /^one\ntwo\n$/,
    },
    'kafka-consumer-groups': {
      args: ['--reset-offsets', '--group', topic, ...on, '--to-earliest', '--execute'],
      settings: command,
      prints: new RegExp(`^${topic} +${topic} +0 +0 +$`, 'm'),
    },
    'kafka-get-offsets': { args: on, settings: command, prints: new RegExp(`^${topic}:0:2\n$`) },
    'kafka-delete-records': { args: ['--offset-json-file', offsets], settings: command, prints: /low_watermark: 1/ },
    'kafka-log-dirs': { args: ['--describe'], settings: command, prints: new RegExp(topic) },
    'kafka-leader-election': {
      args: ['--election-type', 'preferred', ...on, '--partition', '0'],
      settings: '--admin.config',
      prints: /^Valid replica already elected/,
    },
    'kafka-reassign-partitions': {
      args: ['--execute', '--reassignment-json-file', moves],
      settings: command,
      prints: /Successfully started partition reassignment/,
    },
    'kafka-verifiable-producer': {
      args: [...on, '--max-messages', '3'],
      settings: '--producer.config',
      prints: /producer_send_success/,
    },
    'kafka-verifiable-consumer': {
      args: [...on, '--group-id', `${topic}-verifiable`, '--max-messages', '4'],
      settings: '--consumer.config',
      prints: /"offsets_committed".*"success":true/,
    },
    'kafka-streams-application-reset': {
      args: ['--application-id', topic, '--input-topics', topic],
      settings: '--config-file',
      prints: new RegExp(`^Topic: ${topic} Partition: 0 Offset: 1$`, 'm'),
    },
    'kafka-producer-perf-test': {
      args: [...on, '--num-records', '5', '--record-size', '10', '--throughput', '-1'],
      settings: '--producer.config',
      prints: /^5 records sent/m,
    },
    'kafka-consumer-perf-test': {
      args: [...on, '--messages', '8'],
      settings: '--consumer.config',
      prints: /, 9, |, 8, /,
    },
    'kafka-e2e-latency': { args: [topic, '2', 'all', '10'], settings: '', prints: /^Avg latency/m },
    'kafka-cluster': { args: ['cluster-id'], settings: '--config', prints: /^Cluster ID/ },
    'kafka-transactions': { args: ['list'], settings: command, prints: /^TransactionalId/ },
    'kafka-broker-api-versions': { args: [], settings: command, prints: /Produce\(0\)/ },
  };
}

/** The whole command line; one tool has its own order. */
function line(name: string, { args, settings }: Use, properties: string): string[] {
  const bootstrap = `127.0.0.1:${proxy.port}`;
  if (settings === '') return [bootstrap, ...args, properties];
  if (name === 'kafka-producer-perf-test')
    return [...args, settings, properties, '--producer-props', `bootstrap.servers=${bootstrap}`];
  return [...args, '--bootstrap-server', bootstrap, settings, properties];
}

/** The tools that speak with brokers. */
const TOOLS = Object.keys(uses('t'));
/** Those that do not speak with brokers. */
const OTHERS = ['kafka-dump-log', 'kafka-run-class', 'zookeeper-shell'];

test('no tool is forgotten here', () => {
  const all = readdirSync(join(import.meta.dirname, '../../admin-cli')).filter(name => name.endsWith('.ts'));
  const known = [...TOOLS, ...OTHERS].map(name => `${name}.ts`);
  expect(all.sort()).toEqual(known.sort());
});

describe.each(['http2', 'kafka'] as const)('in %s', dialect => {
  test.each(TOOLS)('%s', async name => {
    const use = uses(`dialect-${dialect}`)[name]!;
    const properties = file(`${dialect}.properties`, `samsa.dialect=${dialect}\n`);
    proxy.seen.clear();
    const { input = '' } = use;
    const { code, stdout, stderr } = await tool(name, line(name, use, properties), { input });
    expect(stderr).toMatch(/^(Processed a total of 2 messages\n)?$/);
    expect(code).toBe(0);
    expect(stdout).toMatch(use.prints);
    expect([...proxy.seen]).toEqual([dialect]);
  });
});

test('a property on the command line says it, too', async () => {
  const bootstrap = `127.0.0.1:${proxy.port}`;
  const on = ['--bootstrap-server', bootstrap, '--topic', 'dialect-property'];
  const kafka = 'samsa.dialect=kafka';
  const count = ['--num-records', '1', '--record-size', '1', '--throughput', '-1'];
  const commands = [
    ['kafka-console-producer', ...on, '--producer-property', kafka],
    ['kafka-console-consumer', ...on, '--from-beginning', '--max-messages', '1', '--consumer-property', kafka],
    ['kafka-producer-perf-test', ...on.slice(2), ...count, '--producer-props', `bootstrap.servers=${bootstrap}`, kafka],
  ];
  for (const [name, ...args] of commands) {
    proxy.seen.clear();
    expect(await tool(name!, args, { input: 'one\n' })).toMatchObject({ code: 0 });
    expect([...proxy.seen], name).toEqual(['kafka']);
  }
});
