import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { plainAddress, resolveOverrides } from '../../../../broker/network/connection-limits.ts';
import type { HttpDoor } from '../../../../broker/network/network-server.ts';
import { sniffDialect } from '../../../../broker/network/sniff.ts';
import type { Clock, Timers } from '../../../../shared/runtime/clock.ts';
import { systemTimers } from '../../../../shared/runtime/clock.ts';
import { frame, METADATA, PRODUCE, RawClient, startServer, stopServers, until, type Respond } from './harness.ts';

afterEach(stopServers);

const echo: Respond = body => [Buffer.from(body)];

/** Keeps what arrives by HTTP sockets. */
function keepingDoor() {
  const seen: { dialect: string; text: string }[] = [];
  const keep = (dialect: string) => (socket: Socket) => {
    const entry = { dialect, text: '' };
    seen.push(entry);
    socket.on('error', () => {});
    socket.on('data', chunk => (entry.text += chunk.toString('latin1')));
  };
  const door: HttpDoor = { http1: keep('http1'), http2: keep('http2') };
  return { door, seen };
}

/** Time that stands still until a test moves it; timers are run by `advance`. */
function manualTime() {
  let now = 1000;
  const due: { at: number; every: number | null; run: () => void }[] = [];
  const add = (delay: number, every: number | null, run: () => void) => {
    const entry = { at: now + delay, every, run };
    due.push(entry);
    const cancel = () => {
      if (due.includes(entry)) due.splice(due.indexOf(entry), 1);
    };
    return { cancel };
  };
  const clock: Clock = { now: () => now, monotonic: () => now };
  const timers: Timers = {
    ...systemTimers,
    after: (delay, run) => add(delay, null, run),
    every: (period, run) => add(period, period, run),
  };
  const advance = (ms: number) => {
    now += ms;
    for (const entry of due.filter(({ at }) => at <= now)) {
      if (entry.every === null) due.splice(due.indexOf(entry), 1);
      else entry.at = now + entry.every;
      entry.run();
    }
  };
  return { clock, timers, advance };
}

describe('sniffing', () => {
  test.each([
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http2'],
    ['GET / HTTP/1.1\r\n', 'http1'],
    ['POST /', 'http1'],
    ['PATCH /', 'http1'],
    ['\0\0\0\x20', 'kafka'],
    ['\x3f\xff\xff\xff', 'kafka'],
    ['\xff\xff\xff\xff', 'kafka'],
    ['\x16\x03\x01\x02', 'kafka'],
  ])('%j is %s', (first, dialect) => {
    expect(sniffDialect(Buffer.from(first, 'latin1'))).toBe(dialect);
  });

  test('any cut of the first bytes leads to the same dialect, and no byte is lost', async () => {
    const { door, seen } = keepingDoor();
    const { port } = await startServer({ respond: echo, http: door });
    const openings = [
      { bytes: Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), dialect: 'http2' },
      { bytes: Buffer.from('GET /healthz HTTP/1.1\r\n\r\n'), dialect: 'http1' },
      { bytes: frame(METADATA, 1, 42, Buffer.from('body')), dialect: 'kafka' },
    ];
    for (const { bytes, dialect } of openings) {
      for (let cut = 1; cut <= 8; cut++) {
        const before = seen.length;
        const client = await RawClient.connect(port);
        client.write(bytes.subarray(0, cut));
        await new Promise(resolve => setTimeout(resolve, cut < 5 ? 3 : 0));
        client.write(bytes.subarray(cut));
        if (dialect === 'kafka') {
          expect(await client.answer()).toEqual({ id: 42, body: Buffer.from('body') });
        } else {
          await until(() => seen[before]?.text.length === bytes.length, `${dialect} cut at ${cut}`);
          expect(seen[before]).toEqual({ dialect, text: bytes.toString('latin1') });
        }
        client.socket.destroy();
      }
    }
  });

  test('a connection that does not say what it is gets closed', async () => {
    const { clock, timers, advance } = manualTime();
    const { port, server } = await startServer({ respond: echo, clock, timers });
    const silent = await RawClient.connect(port);
    const short = await RawClient.connect(port);
    short.write(Buffer.from([0, 0, 0]));
    const fine = await RawClient.connect(port);
    fine.write(frame(METADATA, 1, 1));
    await fine.answer();
    await until(() => server.connectionCount === 3);
    advance(9000);
    expect(server.connectionCount).toBe(3);
    advance(1001);
    await Promise.all([silent.closed(), short.closed()]);
    fine.write(frame(METADATA, 1, 2));
    expect((await fine.answer()).id).toBe(2);
  });
});

describe('start', () => {
  test('clients may connect early, and are answered once processing starts', async () => {
    let handled = 0;
    const { server, port } = await startServer({ respond: body => (handled++, [body]), processing: false });
    const client = await RawClient.connect(port);
    client.write(frame(METADATA, 1, 1));
    await new Promise(resolve => setTimeout(resolve, 30));
    expect(handled).toBe(0);
    server.startProcessing();
    expect((await client.answer()).id).toBe(1);
  });

  test('several listeners; a context tells which one', async () => {
    const names: string[] = [];
    const { server } = await startServer({
      respond: (_body, { connection }) => (names.push(connection.listenerName), []),
      listeners: ['INTERNAL', 'EXTERNAL'].map(name => ({ name, host: '127.0.0.1', port: 0, protocol: 'PLAINTEXT' })),
    });
    for (const name of ['EXTERNAL', 'INTERNAL']) {
      const client = await RawClient.connect(server.boundPorts.get(name)!);
      client.write(frame(METADATA, 1, 1));
      await client.answer();
    }
    expect(names).toEqual(['EXTERNAL', 'INTERNAL']);
  });

  test('a port in use is named', async () => {
    const { port } = await startServer({ respond: echo });
    const second = startServer({
      respond: echo,
      listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port, protocol: 'PLAINTEXT' }],
    });
    await expect(second).rejects.toThrow(new RegExp(`listener PLAINTEXT .*127\\.0\\.0\\.1:${port}.*EADDRINUSE`));
  });
});

describe('limits', () => {
  test('connections of one address, and freed places can be taken again', async () => {
    const { port, lines, server } = await startServer({ respond: echo, options: { maxConnectionsPerIp: 2 } });
    const first = await RawClient.connect(port);
    const second = await RawClient.connect(port);
    for (const client of [first, second]) {
      client.write(frame(METADATA, 1, 1));
      await client.answer();
    }
    const third = await RawClient.connect(port);
    await third.closed();
    expect(lines.filter(line => line.includes('maximum of 2 connections'))).toHaveLength(1);
    first.socket.destroy();
    await until(() => server.connectionCount === 1);
    const fourth = await RawClient.connect(port);
    fourth.write(frame(METADATA, 1, 4));
    expect((await fourth.answer()).id).toBe(4);
  });

  test('an address with a limit of its own', async () => {
    const options = { maxConnectionsPerIp: 0, maxConnectionsPerIpOverrides: 'localhost:1' };
    const { port } = await startServer({ respond: echo, options });
    const first = await RawClient.connect(port);
    first.write(frame(METADATA, 1, 1));
    expect((await first.answer()).id).toBe(1);
    const second = await RawClient.connect(port);
    await second.closed();
  });

  test('limits of addresses that change while the broker runs; those that mean nothing are refused', async () => {
    const options = { maxConnectionsPerIp: 0, maxConnectionsPerIpOverrides: '127.0.0.1:1' };
    const { port, server } = await startServer({ respond: echo, options });
    options.maxConnectionsPerIpOverrides = 'no.such.host.invalid:5';
    await expect(server.updateOverrides()).rejects.toThrow("the host 'no.such.host.invalid' is unknown");
    const first = await RawClient.connect(port);
    const second = await RawClient.connect(port);
    await second.closed();
    options.maxConnectionsPerIpOverrides = '127.0.0.1:2';
    await server.updateOverrides();
    for (const client of [first, await RawClient.connect(port)]) {
      client.write(frame(METADATA, 1, 1));
      expect((await client.answer()).id).toBe(1);
    }
  });

  test('connections of the broker, of which those between brokers are free', async () => {
    const { server } = await startServer({
      respond: echo,
      options: { maxConnections: 1, interBrokerListenerName: 'INTERNAL' },
      listeners: ['EXTERNAL', 'INTERNAL'].map(name => ({ name, host: '127.0.0.1', port: 0, protocol: 'PLAINTEXT' })),
    });
    const [external, internal] = [server.boundPorts.get('EXTERNAL')!, server.boundPorts.get('INTERNAL')!];
    const first = await RawClient.connect(external);
    first.write(frame(METADATA, 1, 1));
    await first.answer();
    await (await RawClient.connect(external)).closed();
    const peer = await RawClient.connect(internal);
    peer.write(frame(METADATA, 1, 2));
    expect((await peer.answer()).id).toBe(2);
  });

  test('the overrides are read', async () => {
    expect(await resolveOverrides('10.0.0.1:5, [::1]:7 ,')).toEqual(
      new Map([
        ['10.0.0.1', 5],
        ['::1', 7],
      ]),
    );
    await expect(resolveOverrides('nonsense')).rejects.toThrow("'nonsense' is not host:count");
    await expect(resolveOverrides('10.0.0.1:x')).rejects.toThrow('is not host:count');
    expect(plainAddress('::ffff:10.1.2.3')).toBe('10.1.2.3');
  });
});

describe('idle connections', () => {
  test('are closed after a time without progress, unless a handler is at work', async () => {
    const { clock, timers, advance } = manualTime();
    let waiting: ((answer: Buffer[]) => void) | undefined;
    const { port } = await startServer({
      respond: (body, { apiKey }) => (apiKey === PRODUCE ? new Promise(resolve => (waiting = resolve)) : [body]),
      clock,
      timers,
      options: { maxIdleMs: 60_000 },
    });
    const idle = await RawClient.connect(port);
    const busy = await RawClient.connect(port);
    const lively = await RawClient.connect(port);
    for (const client of [idle, lively]) {
      client.write(frame(METADATA, 1, 1));
      await client.answer();
    }
    busy.write(frame(PRODUCE, 7, 1));
    await until(() => waiting !== undefined);
    advance(40_000);
    lively.write(frame(METADATA, 1, 2));
    await lively.answer();
    advance(30_000);
    await idle.closed();
    waiting!([]);
    expect((await busy.answer()).id).toBe(1);
    lively.write(frame(METADATA, 1, 3));
    expect((await lively.answer()).id).toBe(3);
  });

  test('a request that stops half-way is not waited for as long', async () => {
    const { clock, timers, advance } = manualTime();
    const { port, memory } = await startServer({ respond: echo, clock, timers });
    const client = await RawClient.connect(port);
    client.write(frame(PRODUCE, 7, 1, Buffer.alloc(100_000)).subarray(0, 5000));
    await until(() => memory.bytesInFlight > 100_000);
    advance(31_000);
    await client.closed();
    await until(() => memory.bytesInFlight === 0);
  });
});

test('a client that comes and goes at once leaves nothing behind', async () => {
  const { port, server } = await startServer({ respond: echo });
  for (let i = 0; i < 50; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.once('connect', () => (i % 2 === 0 ? socket.resetAndDestroy() : socket.end('ab')));
  }
  await new Promise(resolve => setTimeout(resolve, 100));
  const client = await RawClient.connect(port);
  client.write(frame(METADATA, 1, 1));
  expect((await client.answer()).id).toBe(1);
  // Those that sent two bytes and a FIN wait for the deadline.
  await until(() => server.connectionCount <= 26);
});
