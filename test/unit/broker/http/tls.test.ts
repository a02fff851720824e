import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { BrokerConfig } from '../../../../broker/config/broker-config.ts';
import type { ListenerView } from '../../../../broker/config/listener-view.ts';
import { ListenerTls } from '../../../../broker/security/listener-tls.ts';
import { Http2Connector } from '../../../../shared/connection/http2.ts';
import { KafkaConnector } from '../../../../shared/connection/kafka.ts';
import { ApiVersions } from '../../../../shared/protocol/messages/api-versions.ts';
import { Produce } from '../../../../shared/protocol/messages/produce.ts';
import { systemClock, systemTimers } from '../../../../shared/runtime/clock.ts';
import { clientTls } from '../../../../shared/tls/client.ts';
import type { TlsSettings } from '../../../../shared/tls/settings.ts';
import { CertificateAuthority, type Certificate } from '../../../support/certificates.ts';
import { source } from '../../shared/tls/support.ts';
import { answerApiVersions, frame, METADATA, RawClient, stopServers, until } from '../network/harness.ts';
import { startHttp, stopApps } from './harness.ts';

const directory = mkdtempSync(join(tmpdir(), 'samsa-tls-'));
const authority = CertificateAuthority.create(join(directory, 'authority'), 'Authority');
const stranger = CertificateAuthority.create(join(directory, 'stranger'), 'Stranger');
const ca = readFileSync(authority.certificateFile);
const broker = authority.issue('broker');
const client = authority.issue('client');

afterEach(async () => {
  await stopServers();
  await stopApps();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function settingsView(settings: Record<string, string>, certificate: Certificate): ListenerView {
  const all = {
    'zookeeper.connect': 'unused',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': certificate.pemFile,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': authority.certificateFile,
    ...settings,
  };
  const text = Object.entries(all).map(([key, value]) => `${key}=${value}\n`);
  return BrokerConfig.load({ text: text.join('') }).perListener;
}

async function startTls(settings: Record<string, string> = {}, certificate: Certificate = broker) {
  const tls = new ListenerTls(settingsView(settings, certificate), 'SECURE', systemClock);
  const listeners = [{ name: 'SECURE', host: '127.0.0.1', port: 0, protocol: 'SSL' as const, tls }];
  const server = await startHttp({
    respond: (body, context) => (context.apiKey === ApiVersions.key ? answerApiVersions(context) : [Buffer.from(body)]),
    listeners,
  });
  return { ...server, tls };
}

const pem = ({ keyFile, certificateFile }: Certificate): ConnectionOptions => ({
  key: readFileSync(keyFile),
  cert: readFileSync(certificateFile),
});

async function secure(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect(Object.assign({ host: '127.0.0.1', port, ca, allowHalfOpen: true }, options));
  await once(socket, 'secureConnect');
  return socket;
}

const options = { clientId: 'test', requestTimeoutMs: 5_000, connectTimeoutMs: 5_000, timers: systemTimers };
const trusting = (more: Partial<TlsSettings> = {}) =>
  clientTls(
    source({ 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': authority.certificateFile, ...more }),
    Date.now(),
  );
const connectors = {
  http2: (tls: ReturnType<typeof trusting>) => new Http2Connector({ ...options, tls }),
  kafka: (tls: ReturnType<typeof trusting>) => new KafkaConnector({ ...options, negotiate: true, tls }),
};

describe('one port', () => {
  test('without ALPN it is Kafka, in frames of any size', async () => {
    const { port } = await startTls();
    const raw = RawClient.over(await secure(port));
    for (const size of [0, 100, 16_000, 1_000_000]) {
      const body = Buffer.alloc(size, 'x');
      raw.write(frame(METADATA, 1, size, body));
      const answer = await raw.answer();
      expect(answer.id).toBe(size);
      expect(answer.body.equals(body)).toBe(true);
    }
    raw.socket.end();
    await raw.closed();
  });

  test('many frames at once come back in order, also while answers are held up', async () => {
    const { port } = await startTls();
    const raw = RawClient.over(await secure(port));
    const body = Buffer.alloc(3_000, 'x');
    raw.write(...Array.from({ length: 2_000 }, (_, id) => frame(METADATA, 1, id, body)));
    expect(await raw.answerIds(2_000)).toEqual([...Array(2_000).keys()]);
  });

  test('what was sent before the end of the stream is answered', async () => {
    const { port } = await startTls();
    const raw = RawClient.over(await secure(port));
    raw.write(frame(METADATA, 1, 1), frame(METADATA, 1, 2));
    raw.socket.end();
    expect(await raw.answerIds(2)).toEqual([1, 2]);
    await raw.closed();
  });

  test('ALPN h2 is HTTP/2', async () => {
    const { port } = await startTls();
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca });
    const stream = session.request({ ':path': '/healthz' });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(200);
    expect(session.alpnProtocol).toBe('h2');
    session.destroy();
  });

  test('ALPN http/1.1 is HTTP/1.1, and so is a method without ALPN', async () => {
    const { port } = await startTls();
    for (const ALPNProtocols of [['http/1.1'], []]) {
      const options = { host: '127.0.0.1', port, path: '/healthz', ca, ALPNProtocols, agent: false as const };
      const call = request(options);
      call.end();
      const [response] = (await once(call, 'response')) as [{ statusCode: number; resume(): void }];
      expect(response.statusCode).toBe(200);
      response.resume();
    }
  });

  test('the preface of HTTP/2 without ALPN is HTTP/2', async () => {
    const { port } = await startTls();
    const socket = await secure(port);
    const session = connectHttp2(`https://127.0.0.1:${port}`, { createConnection: () => socket });
    const stream = session.request({ ':path': '/healthz' });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(200);
    session.destroy();
  });
});

describe.each(['http2', 'kafka'] as const)('a client that speaks %s', dialect => {
  test('is served when it trusts the broker', async () => {
    const { port } = await startTls();
    for (const host of ['localhost', '127.0.0.1']) {
      const connection = await connectors[dialect](trusting()).connect({ host, port });
      expect(connection.versions(Produce)).not.toBeNull();
      connection.close();
    }
  });

  test('says so when it does not', async () => {
    const { port } = await startTls({}, stranger.issue('impostor'));
    await expect(connectors[dialect](trusting()).connect({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'INSECURE',
      message: `127.0.0.1:${port}: TLS handshake failed: the trust store does not have the peer's certificate or its authority`,
    });
  });

  test('checks the name of the host, unless it is told not to', async () => {
    const { port } = await startTls({}, authority.issue('elsewhere', { hosts: ['elsewhere.example'] }));
    const address = { host: '127.0.0.1', port };
    await expect(connectors[dialect](trusting()).connect(address)).rejects.toMatchObject({
      code: 'INSECURE',
      message: expect.stringContaining("IP: 127.0.0.1 is not in the cert's list") as string,
    });
    const lax = trusting({ 'ssl.endpoint.identification.algorithm': '' });
    (await connectors[dialect](lax).connect(address)).close();
  });

  test('trusts a certificate that its trust store has, whoever issued it', async () => {
    const issued = stranger.subordinate(`Middle-${dialect}`).issue('leaf');
    const { port } = await startTls({}, issued);
    const tls = trusting({ 'ssl.truststore.location': issued.certificateFile });
    (await connectors[dialect](tls).connect({ host: '127.0.0.1', port })).close();
  });

  test('tells a port without TLS from one with', async () => {
    const { port } = await startHttp({ respond: () => [] });
    await expect(connectors[dialect](trusting()).connect({ host: '127.0.0.1', port })).rejects.toThrow(
      /^127\.0\.0\.1:\d+(: TLS handshake failed: the peer does not speak TLS|.*closed|.*disconnected|.*ECONNRESET)/,
    );
  });

  test('shows its certificate where one is required', async () => {
    const { port } = await startTls({ 'ssl.client.auth': 'required' });
    const address = { host: '127.0.0.1', port };
    const withKey = trusting({ 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': client.pemFile });
    (await connectors[dialect](withKey).connect(address)).close();
    await expect(connectors[dialect](trusting()).connect(address)).rejects.toMatchObject({
      code: 'INSECURE',
      message: expect.stringContaining('the peer asks for a certificate, and there is no key store') as string,
    });
    const unknown = trusting({
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': stranger.issue(`unknown-${dialect}`).pemFile,
    });
    await expect(connectors[dialect](unknown).connect(address)).rejects.toThrow(
      /right after the TLS handshake; it may not accept the certificate of this side/,
    );
  });
});

describe('ssl.client.auth', () => {
  const serves = async (port: number, certificate: ConnectionOptions) => {
    try {
      const raw = RawClient.over(await secure(port, certificate));
      raw.write(frame(METADATA, 1, 5));
      return (await raw.answer()).id === 5;
    } catch {
      return false;
    }
  };

  test.each([
    ['none', { nobody: true, known: true, unknown: true }],
    ['requested', { nobody: true, known: true, unknown: false }],
    ['required', { nobody: false, known: true, unknown: false }],
  ])('%s', async (clientAuth, expected) => {
    const { port } = await startTls({ 'ssl.client.auth': clientAuth });
    expect({
      nobody: await serves(port, {}),
      known: await serves(port, pem(client)),
      unknown: await serves(port, pem(stranger.issue('unknown'))),
    }).toEqual(expected);
  });

  test('a trust store with the client’s own certificate is enough', async () => {
    const below = stranger.subordinate('Department').issue('member');
    const { port } = await startTls({
      'ssl.client.auth': 'required',
      'ssl.truststore.location': below.certificateFile,
    });
    expect(await serves(port, pem(below))).toBe(true);
    expect(await serves(port, pem(client))).toBe(false);
  });
});

test('new settings are for new connections; the others go on', async () => {
  const { port, tls } = await startTls();
  const before = await secure(port);
  const raw = RawClient.over(before);
  // 'session' is emitted from within OpenSSL's reading: who writes there breaks the stream of records.
  const session = await new Promise<Buffer>(resolve =>
    before.once('session', ticket => setImmediate(() => resolve(ticket))),
  );
  const renewed = authority.issue('broker');
  tls.apply(settingsView({ 'ssl.client.auth': 'required' }, renewed));
  raw.write(frame(METADATA, 1, 1));
  expect((await raw.answer()).id).toBe(1);
  const after = await secure(port, { ...pem(client), session });
  expect(after.isSessionReused()).toBe(false);
  expect(after.getPeerX509Certificate()!.serialNumber).not.toBe(before.getPeerX509Certificate()!.serialNumber);
  const anonymous = RawClient.over(await secure(port));
  anonymous.write(frame(METADATA, 1, 2));
  await expect(anonymous.answer()).rejects.toThrow('the connection was closed');
  after.destroy();
});

describe('those who are refused', () => {
  test('are told of once for each cause', async () => {
    const { port, lines } = await startTls({ 'ssl.client.auth': 'required' });
    const attempt = async (certificate: ConnectionOptions) => {
      const socket = connect({ host: '127.0.0.1', port, ca, ...certificate });
      socket.on('error', () => {});
      socket.resume();
      await new Promise(resolve => socket.on('close', resolve));
    };
    for (let i = 0; i < 3; i++) {
      await attempt({});
      await attempt(pem(stranger.issue(`unknown-${i}`)));
    }
    expect(lines.sort()).toEqual([
      'TLS handshake with 127.0.0.1 failed: the peer showed no certificate',
      "TLS handshake with 127.0.0.1 failed: the trust store does not have the peer's certificate or its authority",
    ]);
  });

  test.each([
    ['a Kafka client without TLS', frame(18, 3, 1)],
    ['HTTP without TLS', Buffer.from('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['HTTP/2 without TLS', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
  ])('%s', async (_, bytes) => {
    const { port, server, lines } = await startTls();
    const socket = connectTcp(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write(bytes);
    await new Promise(resolve => socket.on('close', resolve));
    await until(() => server.connectionCount === 0, 'the connection to be counted out');
    expect(lines).toEqual([
      expect.stringMatching(/^TLS handshake with 127\.0\.0\.1 failed: the peer (does not speak TLS|speaks HTTP)/),
    ]);
  });

  test('count as connections while they are at it', async () => {
    const { port, server } = await startTls();
    const socket = connectTcp(port, '127.0.0.1');
    await until(() => server.connectionCount === 1);
    socket.destroy();
    await until(() => server.connectionCount === 0);
  });
});
