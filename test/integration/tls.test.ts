import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer } from '../../client/index.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { CertificateAuthority, keyStoreFile, STORE_PASSWORD, trustStoreFile } from '../support/certificates.ts';
import { freePorts } from '../support/free-ports.ts';
import { run, tool } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';
import { ZooKeeperProcess } from '../support/zookeeper-process.ts';

/**
 * Three brokers, everything by TLS, and each pair of parties with an authority of its own:
 *
 *   INTERNAL  between brokers: PKCS#12 stores, certificates required of both sides
 *   EXTERNAL  for clients: PEM; broker 2 requires certificates of them
 */
const directory = mkdtempSync(join(tmpdir(), 'samsa-'));
const inner = CertificateAuthority.create(join(directory, 'inner'), 'Inner');
const outer = CertificateAuthority.create(join(directory, 'outer'), 'Outer');
const stranger = CertificateAuthority.create(join(directory, 'stranger'), 'Stranger');
const client = outer.issue('client');
const ca = readFileSync(outer.certificateFile, 'utf8');

let zookeeper: ZooKeeperProcess;
let brokers: BrokerProcess[] = [];
/** EXTERNAL and INTERNAL of each broker. */
let ports: [number, number][] = [];

function brokerProperties(id: number, [external, internal]: [number, number]): Record<string, string> {
  const own = join(directory, `broker-${id}`);
  mkdirSync(own);
  const inside = inner.issue(`broker-${id}`, { kind: id === 0 ? 'rsa' : 'ec' });
  return {
    listeners: `EXTERNAL://127.0.0.1:${external},INTERNAL://127.0.0.1:${internal}`,
    'advertised.listeners': `EXTERNAL://localhost:${external},INTERNAL://localhost:${internal}`,
    'listener.security.protocol.map': 'EXTERNAL:SSL,INTERNAL:SSL',
    'inter.broker.listener.name': 'INTERNAL',
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'listener.name.internal.ssl.keystore.type': 'PKCS12',
    'listener.name.internal.ssl.keystore.location': keyStoreFile(join(own, 'internal.p12'), inside),
    'listener.name.internal.ssl.keystore.password': STORE_PASSWORD,
    'listener.name.internal.ssl.truststore.location': trustStoreFile(join(own, 'trust.p12'), inner.certificateFile),
    'listener.name.internal.ssl.truststore.password': STORE_PASSWORD,
    'listener.name.internal.ssl.client.auth': 'required',
    'listener.name.external.ssl.keystore.type': 'PEM',
    'listener.name.external.ssl.keystore.location': outer.issue(`public-${id}`).pemFile,
    'listener.name.external.ssl.truststore.type': 'PEM',
    'listener.name.external.ssl.truststore.location': outer.certificateFile,
    'listener.name.external.ssl.client.auth': id === 2 ? 'required' : 'none',
  };
}

function makeBroker(id: number, properties: Record<string, string>): BrokerProcess {
  const own = join(directory, `broker-${id}`);
  mkdirSync(own, { recursive: true });
  return new BrokerProcess({ id, port: 0, zookeeper: zookeeper.connectString, directory: own, properties });
}

beforeAll(async () => {
  zookeeper = await ZooKeeperProcess.start({ directory: join(directory, 'zookeeper') });
  const free = await freePorts(6);
  ports = [0, 1, 2].map(id => [free[2 * id]!, free[2 * id + 1]!]);
  brokers = ports.map((pair, id) => makeBroker(id, brokerProperties(id, pair)));
  await Promise.all(brokers.map(broker => broker.start()));
});

afterAll(async () => {
  await Promise.all(brokers.map(broker => broker.kill()));
  await zookeeper?.kill();
  rmSync(directory, { recursive: true, force: true });
});

const external = (id: number) => `localhost:${ports[id]![0]}`;
const internal = (id: number) => `localhost:${ports[id]![1]}`;
const bootstrap = () => [0, 1, 2].map(external).join(',');

/** What a client has to be told: whom to trust, and who it is. */
const settings = (more: Record<string, string> = {}) => ({
  'bootstrap.servers': bootstrap(),
  'security.protocol': 'SSL',
  'ssl.truststore.type': 'PEM',
  'ssl.truststore.location': outer.certificateFile,
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.location': client.pemFile,
  ...more,
});
const anonymous = (more: Record<string, string> = {}) =>
  Object.fromEntries(Object.entries(settings(more)).filter(([key]) => !key.startsWith('ssl.keystore')));

function configFile(name: string, values: Record<string, string>): string {
  const file = join(directory, name);
  const { 'bootstrap.servers': _, ...rest } = values;
  writeFileSync(
    file,
    Object.entries(rest)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  return file;
}

async function createTopic(name: string, more: { partitions?: number } = {}): Promise<void> {
  const admin = createAdmin(settings());
  try {
    await admin.createTopics([{ name, partitions: more.partitions ?? 3, replicationFactor: 3 }]);
    await waitFor(`${name} to be replicated everywhere`, async () => {
      const { partitions } = await admin.describeTopic(name);
      return partitions.every(({ isr }) => isr.length === 3);
    });
  } finally {
    admin.close();
  }
}

test('the cluster forms, and replicates, over TLS alone', async () => {
  await createTopic('replicated');
  for (const broker of brokers) expect(broker.output).not.toContain('TLS handshake with');
});

describe.each(['http2', 'kafka'])('the SDK over %s', dialect => {
  test('produces and consumes', async () => {
    const topic = `sdk-${dialect}`;
    await createTopic(topic);
    const producer = createProducer({ ...settings(), 'samsa.dialect': dialect, acks: 'all' });
    const payload = 'x'.repeat(1_000);
    const sent = await Promise.all(
      Array.from({ length: 3_000 }, (_, i) => producer.send({ topic, key: `k${i}`, value: `${i} ${payload}` })),
    );
    expect(new Set(sent.map(({ partition }) => partition)).size).toBe(3);
    await producer.close();
    const consumer = createConsumer({ ...settings(), 'samsa.dialect': dialect, 'auto.offset.reset': 'earliest' });
    consumer.assign([0, 1, 2].map(partition => ({ topic, partition })));
    const seen = new Set<string>();
    await waitFor('all records', async () => {
      for (const record of await consumer.poll(500)) seen.add(record.value!.toString());
      return seen.size === 3_000;
    });
    await consumer.close();
  });

  test('without the right authority it fails at once, and says why', async () => {
    const admin = createAdmin({
      ...anonymous(),
      'samsa.dialect': dialect,
      'ssl.truststore.location': stranger.certificateFile,
    });
    const begun = performance.now();
    await expect(admin.listTopics()).rejects.toThrow(
      /TLS handshake failed: the trust store does not have the peer's certificate or its authority/,
    );
    expect(performance.now() - begun).toBeLessThan(10_000);
    admin.close();
  });

  test('without a certificate of its own it gets as far as no certificate is required', async () => {
    for (const [id, isServed] of [
      [0, true],
      [2, false],
    ] as const) {
      const admin = createAdmin({ ...anonymous({ 'bootstrap.servers': external(id) }), 'samsa.dialect': dialect });
      const outcome = await admin.describeCluster().then(
        () => 'served',
        (error: unknown) => (error as Error).message,
      );
      expect(outcome).toMatch(isServed ? /^served$/ : /the peer asks for a certificate, and there is no key store/);
      admin.close();
    }
  });
});

describe('kcat', () => {
  const kcat = (args: readonly string[], input = '', options: Record<string, string> = {}) => {
    const all = {
      'security.protocol': 'ssl',
      'ssl.ca.location': outer.certificateFile,
      'ssl.certificate.location': client.certificateFile,
      'ssl.key.location': client.keyFile,
      'enable.ssl.certificate.verification': 'true',
      'ssl.endpoint.identification.algorithm': 'https',
      ...options,
    };
    const pairs = Object.entries(all).flatMap(([key, value]) => ['-X', `${key}=${value}`]);
    return run('kcat', ['-b', options['bootstrap.servers'] ?? bootstrap(), ...pairs, ...args], { input });
  };

  test('produces and consumes', async () => {
    await createTopic('kcat');
    const lines = Array.from({ length: 2_000 }, (_, i) => `k${i}:${i} ${'y'.repeat(200)}`);
    const produced = await kcat(['-P', '-t', 'kcat', '-K:', '-X', 'acks=all'], `${lines.join('\n')}\n`);
    expect(produced).toMatchObject({ code: 0, stderr: '' });
    const consumed = await kcat(['-C', '-t', 'kcat', '-e', '-q', '-K:', '-o', 'beginning']);
    expect(consumed.stdout.trimEnd().split('\n').sort()).toEqual([...lines].sort());
  });

  test('is told the addresses of the listener it came by', async () => {
    const { stdout } = await kcat(['-L']);
    for (const id of [0, 1, 2]) expect(stdout).toContain(`broker ${id} at ${external(id)}`);
  });

  test('with another authority is refused', async () => {
    const { code, stderr } = await kcat(['-L', '-m', '3'], '', { 'ssl.ca.location': stranger.certificateFile });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/certificate verify failed|SSL handshake failed/i);
  });

  test('without TLS is refused, and the broker goes on', async () => {
    const { code } = await run('kcat', ['-b', external(0), '-L', '-m', '3']);
    expect(code).not.toBe(0);
    expect((await kcat(['-L'])).code).toBe(0);
    await waitFor('the broker to say why', () =>
      brokers[0]!.output.includes('TLS handshake with 127.0.0.1 failed: the peer does not speak TLS'),
    );
  });
});

test('kafkajs produces, and describes the cluster', async () => {
  await createTopic('kafkajs');
  const ssl = {
    ca: [ca],
    key: readFileSync(client.keyFile, 'utf8'),
    cert: readFileSync(client.certificateFile, 'utf8'),
  };
  const kafka = new Kafka({ brokers: bootstrap().split(','), ssl, logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  const [result] = await producer.send({ topic: 'kafkajs', acks: -1, messages: [{ key: 'k', value: 'v' }] });
  expect(result).toMatchObject({ topicName: 'kafkajs', errorCode: 0 });
  await producer.disconnect();
  const admin = kafka.admin();
  await admin.connect();
  expect((await admin.describeCluster()).brokers).toHaveLength(3);
  await admin.disconnect();
});

describe('curl', () => {
  const curl = (path: string, ...args: string[]) =>
    run('curl', ['-sS', '--cacert', outer.certificateFile, ...args, `https://${external(0)}${path}`]);

  test.each([
    ['--http2', '2'],
    ['--http1.1', '1.1'],
  ])('%s', async (option, version) => {
    const { stdout, stderr } = await curl('/readyz', option, '-w', '\n%{http_version} %{http_code}');
    expect(stderr).toBe('');
    expect(stdout.split('\n').at(-1)).toBe(`${version} 200`);
  });

  test('writes and reads records', async () => {
    await createTopic('curl', { partitions: 1 });
    const posted = await curl('/topics/curl/records', '--http2', '--json', '{"value":"by curl"}');
    expect(JSON.parse(posted.stdout)).toMatchObject({ offset: 0 });
    const read = await curl('/topics/curl/partitions/0/records?offset=0&limit=1', '--http2');
    expect(read.stdout).toContain('by curl');
  });

  test('does not trust a broker that its authority does not know', async () => {
    const { code, stderr } = await run('curl', ['-sS', `https://${external(0)}/readyz`]);
    expect(code).toBe(60);
    expect(stderr).toMatch(/certificate/);
  });

  test('without TLS is refused', async () => {
    const { code } = await run('curl', ['-sS', '-m', '5', `http://${external(0)}/readyz`]);
    expect([1, 52, 56]).toContain(code);
  });
});

describe('the tools', () => {
  test('take the keys in their files of settings, in either dialect', async () => {
    for (const dialect of ['http2', 'kafka']) {
      const topic = `tools-${dialect}`;
      const file = configFile(`${dialect}.properties`, { ...settings(), 'samsa.dialect': dialect });
      const command = ['--bootstrap-server', bootstrap(), '--command-config', file];
      const created = await tool('kafka-topics', [...command, '--create', '--topic', topic, '--partitions', '1']);
      expect(created).toMatchObject({ code: 0, stderr: '' });
      const produced = await tool(
        'kafka-console-producer',
        ['--bootstrap-server', bootstrap(), '--producer.config', file, '--topic', topic],
        { input: 'one\ntwo\n' },
      );
      expect(produced.stderr).toBe('');
      const consumed = await tool('kafka-console-consumer', [
        ...['--bootstrap-server', bootstrap(), '--consumer.config', file, '--topic', topic],
        ...['--partition', '0', '--offset', 'earliest', '--max-messages', '2'],
      ]);
      expect(consumed.stdout).toBe('one\ntwo\n');
      const offsets = await tool('kafka-get-offsets', [...command, '--topic', topic]);
      expect(offsets.stdout).toBe(`${topic}:0:2\n`);
      const configs = await tool('kafka-configs', [
        ...command,
        '--describe',
        '--all',
        '--entity-type',
        'brokers',
        '--entity-name',
        '0',
      ]);
      expect(configs.stdout).toContain('listener.name.internal.ssl.client.auth=required');
      expect(configs.stdout).not.toContain(STORE_PASSWORD);
      const versions = await tool('kafka-broker-api-versions', command);
      expect(versions.stdout).toContain(external(2));
    }
  });

  test('say what is wrong in one sentence', async () => {
    const wrong = configFile('wrong.properties', { ...settings(), 'ssl.truststore.location': '/no/such.pem' });
    const command = ['--bootstrap-server', bootstrap(), '--list', '--command-config'];
    const { code, stderr } = await tool('kafka-topics', [...command, wrong]);
    expect(code).toBe(1);
    expect(stderr).toContain('ssl.truststore.location cannot be "/no/such.pem": there is no such file.');
    const untrusting = configFile('other.properties', {
      ...anonymous(),
      'ssl.truststore.location': stranger.certificateFile,
    });
    const refused = await tool('kafka-topics', [...command, untrusting]);
    expect(refused.code).toBe(1);
    expect(refused.stderr.trimEnd().split('\n').at(-1)).toMatch(/TLS handshake failed: the trust store does not have/);
  });
});

describe('kafka-configs', () => {
  const location = 'listener.name.external.ssl.keystore.location';
  const alter = (file: string, id = 1) =>
    tool('kafka-configs', [
      ...['--bootstrap-server', bootstrap(), '--command-config', configFile('configs.properties', settings())],
      ...['--alter', '--entity-type', 'brokers', '--entity-name', String(id), '--add-config', `${location}=${file}`],
    ]);
  const shown = async (id: number) => {
    const socket = connect({ host: 'localhost', port: ports[id]![0], ca });
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerX509Certificate()!;
    socket.destroy();
    return serialNumber;
  };
  const serialOf = (file: string) => new X509Certificate(readFileSync(file)).serialNumber;

  test('changes a key store while the broker runs, and has it read again by its own name', async () => {
    const producer = createProducer(settings());
    await createTopic('renewed');
    await producer.send({ topic: 'renewed', partition: 1, value: 'before' });
    const { pemFile, certificateFile } = outer.issue('public-1');
    expect(await alter(pemFile)).toMatchObject({ code: 0, stderr: '' });
    await waitFor('the new certificate', async () => (await shown(1)) === serialOf(certificateFile));

    const next = outer.issue('public-1');
    copyFileSync(next.pemFile, pemFile);
    expect(await alter(pemFile)).toMatchObject({ code: 0, stderr: '' });
    await waitFor('the one after it', async () => (await shown(1)) === serialOf(next.certificateFile));
    await producer.send({ topic: 'renewed', partition: 1, value: 'after' });
    await producer.close();

    await brokers[1]!.stop();
    await brokers[1]!.start();
    expect(await shown(1)).toBe(serialOf(next.certificateFile));
  });

  test('is refused a key store that cannot be used, or is of somebody else', async () => {
    const before = await shown(0);
    const refusals = [
      ['/no/such.pem', `${location} cannot be "/no/such.pem": there is no such file.`],
      [outer.issue('public-2').pemFile, 'which ssl.allow.dn.changes does not allow'],
    ] as const;
    for (const [file, sentence] of refusals) {
      const { code, stderr } = await alter(file, 0);
      expect(code).toBe(1);
      expect(stderr).toContain(sentence);
    }
    expect(await shown(0)).toBe(before);
  });
});

describe('between brokers', () => {
  test('nobody is let in without a certificate of the inner authority', async () => {
    for (const [authority, certificate] of [
      [inner, null],
      [inner, client],
      [outer, inner.issue('visitor')],
    ] as const) {
      const admin = createAdmin({
        'bootstrap.servers': internal(1),
        'samsa.dialect': 'kafka',
        'default.api.timeout.ms': '3000',
        'security.protocol': 'SSL',
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': authority.certificateFile,
        ...(certificate === null ? {} : { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': certificate.pemFile }),
      });
      await expect(admin.describeCluster()).rejects.toThrow(/TLS handshake|asks for a certificate/);
      admin.close();
    }
  });

  test('a broker that dies is replaced, and catches up when it is back', async () => {
    await createTopic('failover');
    await brokers[1]!.kill();
    const producer = createProducer({
      ...settings(),
      acks: 'all',
      'delivery.timeout.ms': 60_000,
      'request.timeout.ms': 5_000,
    });
    await Promise.all(
      Array.from({ length: 300 }, (_, i) => producer.send({ topic: 'failover', key: `k${i}`, value: 'v' })),
    );
    await producer.close();
    await brokers[1]!.start();
    const admin = createAdmin(settings());
    await waitFor('broker 1 to be in sync again', async () => {
      const { partitions } = await admin.describeTopic('failover');
      return partitions.every(({ isr }) => isr.length === 3);
    });
    admin.close();
  });
});

describe('a start is refused with one sentence and status 1', () => {
  const attempt = async (properties: Record<string, string>) => {
    const [port] = await freePorts(1);
    const broker = makeBroker(9, {
      listeners: `SSL://127.0.0.1:${port}`,
      'security.inter.broker.protocol': 'SSL',
      ...properties,
    });
    const before = broker.output.length;
    broker.spawn();
    const code = await broker.exited();
    return { code, output: broker.output.slice(before) };
  };
  const expired = outer.issue('expired', { from: '20200101000000Z', to: '20210101000000Z' });
  const p12 = keyStoreFile(join(directory, 'sealed.p12'), client);

  test.each([
    ['no key store', {}, /ssl\.keystore\.location is missing: the listener SSL speaks TLS/],
    [
      'a missing file',
      { 'ssl.keystore.location': '/no/such.p12', 'ssl.keystore.password': 'x' },
      /ssl\.keystore\.location cannot be \\"\/no\/such\.p12\\" \(.*server\.properties, line \d+\): there is no such file\./,
    ],
    [
      'a wrong password',
      { 'ssl.keystore.location': p12, 'listener.name.ssl.ssl.keystore.password': 'wrong' },
      /listener\.name\.ssl\.ssl\.keystore\.password cannot be the hidden value .*: it does not open .*sealed\.p12\./,
    ],
    [
      'an expired certificate',
      { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': expired.pemFile },
      /ssl\.keystore\.location .*CN=expired .* expired on Jan {2}1 00:00:00 2021 GMT\./,
    ],
  ])('%s', async (_, properties, sentence) => {
    const { code, output } = await attempt(properties);
    expect(code).toBe(1);
    expect(output).toMatch(sentence);
    expect(output).not.toMatch(/ at .*\.ts:\d+/);
  });
});
