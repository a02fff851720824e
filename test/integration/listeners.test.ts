import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin } from '../../client/index.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { freePorts } from '../support/free-ports.ts';
import { run, tool } from '../support/run.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { waitFor } from '../support/wait.ts';
import { ZooKeeperProcess } from '../support/zookeeper-process.ts';
import { ZooKeeperProxy } from '../support/zookeeper-proxy.ts';
import { Znodes } from '../support/znodes.ts';

/**
 * Two brokers with a pair of listeners each:
 *
 *   INTERNAL  127.0.0.1:p, advertised as a proxy's port in front of it: who comes by that address is seen there
 *   EXTERNAL  0.0.0.0:q, advertised as localhost:q
 *
 * and a third that does not set advertised.listeners.
 */
interface Pair {
  readonly broker: BrokerProcess;
  readonly internalPort: number;
  readonly externalPort: number;
  /** In front of INTERNAL, at the address that is advertised. */
  readonly proxy: ZooKeeperProxy;
}

let directory = '';
let zookeeper: ZooKeeperProcess;
let znodes: Znodes;
let pairs: Pair[] = [];
let plain: BrokerProcess;
let plainPorts: number[] = [];

const SHARED = {
  'listener.security.protocol.map': 'INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT',
  'inter.broker.listener.name': 'INTERNAL',
  'replica.lag.time.max.ms': '1500',
};

function brokerWith(id: number, properties: Record<string, string>): BrokerProcess {
  const own = join(directory, `broker-${id}`);
  mkdirSync(own);
  const all = { ...SHARED, ...properties };
  return new BrokerProcess({ id, port: 0, zookeeper: zookeeper.connectString, directory: own, properties: all });
}

async function makePair(id: number): Promise<Pair> {
  const [internalPort, externalPort] = (await freePorts(2)) as [number, number];
  const proxy = await ZooKeeperProxy.start(internalPort);
  const broker = brokerWith(id, {
    listeners: `INTERNAL://127.0.0.1:${internalPort},EXTERNAL://0.0.0.0:${externalPort}`,
    'advertised.listeners': `INTERNAL://127.0.0.1:${proxy.port},EXTERNAL://localhost:${externalPort}`,
  });
  return { broker, internalPort, externalPort, proxy };
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-'));
  zookeeper = await ZooKeeperProcess.start({ directory: join(directory, 'zookeeper') });
  pairs = [await makePair(0), await makePair(1)];
  plainPorts = await freePorts(2);
  plain = brokerWith(2, {
    listeners: `INTERNAL://127.0.0.1:${plainPorts[0]},EXTERNAL://localhost:${plainPorts[1]}`,
  });
  await Promise.all([...pairs.map(({ broker }) => broker.start()), plain.start()]);
  znodes = await Znodes.open(zookeeper.connectString);
});

afterAll(async () => {
  await znodes?.close();
  await Promise.all([...pairs.map(({ broker }) => broker.kill()), plain?.kill()]);
  await Promise.all(pairs.map(({ proxy }) => proxy.close()));
  await zookeeper?.kill();
  rmSync(directory, { recursive: true, force: true });
});

/** What each listener tells of the cluster: `host:port` by broker. */
function advertised(listener: 'INTERNAL' | 'EXTERNAL'): string[] {
  return listener === 'INTERNAL'
    ? [...pairs.map(({ proxy }) => `127.0.0.1:${proxy.port}`), `127.0.0.1:${plainPorts[0]}`]
    : [...pairs.map(({ externalPort }) => `localhost:${externalPort}`), `localhost:${plainPorts[1]}`];
}

/** Addresses at which the listener can be reached, whatever is advertised. */
function reachable(listener: 'INTERNAL' | 'EXTERNAL'): string[] {
  return listener === 'INTERNAL'
    ? [...pairs.map(({ internalPort }) => `127.0.0.1:${internalPort}`), `127.0.0.1:${plainPorts[0]}`]
    : [...pairs.map(({ externalPort }) => `127.0.0.1:${externalPort}`), `127.0.0.1:${plainPorts[1]}`];
}

async function toldBySdk(bootstrap: string, dialect: string): Promise<string[]> {
  const admin = createAdmin({ 'bootstrap.servers': bootstrap, 'samsa.dialect': dialect });
  try {
    const { brokers } = await admin.describeCluster();
    return [...brokers].sort((a, b) => a.id - b.id).map(({ host, port }) => `${host}:${port}`);
  } finally {
    admin.close();
  }
}

async function toldByKcat(bootstrap: string): Promise<string[]> {
  const { stdout, stderr, code } = await run('kcat', ['-L', '-J', '-b', bootstrap]);
  expect(code, stderr).toBe(0);
  const { brokers } = JSON.parse(stdout) as { brokers: { id: number; name: string }[] };
  return brokers.sort((a, b) => a.id - b.id).map(({ name }) => name);
}

describe.each(['INTERNAL', 'EXTERNAL'] as const)('a client that comes in by %s', listener => {
  test('is told the addresses of that listener by every broker', async () => {
    for (const address of reachable(listener)) {
      for (const dialect of ['http2', 'kafka']) {
        await waitFor(`${address} to tell ${advertised(listener).join()} over ${dialect}`, async () => {
          return (await toldBySdk(address, dialect)).join() === advertised(listener).join();
        });
      }
      expect(await toldByKcat(address)).toEqual(advertised(listener));
    }
  });

  test('produces and consumes at them', async () => {
    const topic = `by-${listener.toLowerCase()}`;
    const [bootstrap] = reachable(listener) as [string];
    const admin = createAdmin({ 'bootstrap.servers': bootstrap });
    await admin.createTopics([{ name: topic, assignment: [[0], [1], [2]] }]).finally(() => admin.close());
    for (const partition of ['0', '1', '2']) {
      const target = ['-b', bootstrap, '-t', topic, '-p', partition];
      const produced = await run('kcat', ['-P', ...target], { input: `to partition ${partition}\n` });
      expect(produced.code, produced.stderr).toBe(0);
      const consumed = await run('kcat', ['-C', '-e', '-q', '-o', 'beginning', ...target]);
      expect(consumed.stdout, consumed.stderr).toBe(`to partition ${partition}\n`);
    }
  });
});

test('brokers register what they advertise', async () => {
  for (const { broker, externalPort, proxy } of pairs) {
    expect((await znodes.json(`/brokers/ids/${broker.id}`))!.endpoints).toEqual([
      `INTERNAL://127.0.0.1:${proxy.port}`,
      `EXTERNAL://localhost:${externalPort}`,
    ]);
  }
  expect((await znodes.json(`/brokers/ids/${plain.id}`))!.endpoints).toEqual([
    `INTERNAL://127.0.0.1:${plainPorts[0]}`,
    `EXTERNAL://localhost:${plainPorts[1]}`,
  ]);
});

test('brokers replicate over INTERNAL, and clients are served by EXTERNAL without it', async () => {
  // Not the controller: the leader has to reach that one, and by the same kind of address.
  const controller = await znodes.controllerId();
  const leader = pairs.find(({ broker }) => broker.id !== controller)!;
  const follower = pairs.find(pair => pair !== leader)!;
  const topic = 'replicated';
  const bootstrap = `127.0.0.1:${leader.externalPort}`;
  const admin = createAdmin({ 'bootstrap.servers': bootstrap });
  await admin.createTopics([{ name: topic, assignment: [[leader.broker.id, follower.broker.id]] }]);
  admin.close();
  const isr = async () => {
    const state = await znodes.json(`/brokers/topics/${topic}/partitions/0/state`);
    return (state!.isr as number[]).sort();
  };
  const writer = new SteadyWriter({ bootstrap, topic, partitions: 1 });
  await writer.progress();
  expect(await isr()).toEqual([0, 1]);
  leader.proxy.cut();
  await waitFor(
    'the follower that cannot fetch to leave the ISR',
    async () => (await isr()).join() === `${leader.broker.id}`,
  );
  await writer.progress();
  leader.proxy.restore();
  await waitFor('the follower to return', async () => (await isr()).join() === '0,1');
  await writer.progress();
  await writer.stop();
  expect(writer.failed).toEqual([]);
  expect(await writer.lost()).toEqual([]);
});

describe('a configuration that cannot be used stops the start', () => {
  interface Bad {
    readonly line: string;
    /** What the message has to name, beside the file and the line. */
    readonly names: readonly string[];
  }
  const BAD: readonly Bad[] = [
    { line: 'num.partitions=many', names: ['num.partitions', '"many"', 'integer'] },
    { line: 'num.partitions=0', names: ['num.partitions', '"0"', 'at least 1'] },
    { line: 'auto.create.topics.enable=perhaps', names: ['auto.create.topics.enable', '"perhaps"', 'true', 'false'] },
    { line: 'log.cleanup.policy=burn', names: ['log.cleanup.policy', '"burn"', 'compact', 'delete'] },
    { line: 'listeners=PLAINTEXT://0.0.0.0:9092', names: ['listeners', '0.0.0.0', 'advertised.listeners'] },
    { line: 'advertised.listeners=PLAINTEXT://0.0.0.0:9092', names: ['advertised.listeners', '0.0.0.0'] },
    { line: 'advertised.listeners=OTHER://here:9092', names: ['advertised.listeners', 'OTHER'] },
    { line: 'listeners=CLIENTS://127.0.0.1:9092', names: ['listeners', 'CLIENTS', 'listener.security.protocol.map'] },
    { line: 'listeners=PLAINTEXT//127.0.0.1', names: ['listeners', 'PLAINTEXT//127.0.0.1', 'NAME://host:port'] },
    { line: 'inter.broker.listener.name=INTERNAL', names: ['inter.broker.listener.name', 'INTERNAL'] },
  ];

  test.each(BAD)('$line', async ({ line, names }) => {
    const file = join(mkdtempSync(join(directory, 'bad-')), 'server.properties');
    writeFileSync(file, `broker.id=7\n# the third line is the bad one\n${line}\nzookeeper.connect=127.0.0.1:1\n`);
    const { code, stdout, stderr } = await tool('kafka-server-start', [file]);
    expect(code).toBe(1);
    for (const name of [...names, `${file}, line 3`]) expect(stderr).toContain(name);
    // One sentence, and no stack.
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
  });

  test('zookeeper.connect is missing', async () => {
    const file = join(mkdtempSync(join(directory, 'bad-')), 'server.properties');
    writeFileSync(file, 'broker.id=7\n');
    const { code, stderr } = await tool('kafka-server-start', [file]);
    expect(code).toBe(1);
    expect(stderr).toContain('zookeeper.connect');
  });

  test('an override and the environment are named as the place', async () => {
    const file = join(mkdtempSync(join(directory, 'bad-')), 'server.properties');
    writeFileSync(file, 'broker.id=7\nzookeeper.connect=127.0.0.1:1\n');
    const override = await tool('kafka-server-start', [file, '--override', 'num.partitions=none']);
    expect(override.code).toBe(1);
    expect(override.stderr).toMatch(/num\.partitions.*"none".*--override/);
    const environment = await tool('kafka-server-start', [file], { env: { KAFKA_NUM_PARTITIONS: 'some' } });
    expect(environment.code).toBe(1);
    expect(environment.stderr).toMatch(/num\.partitions.*"some".*KAFKA_NUM_PARTITIONS/);
  });
});
