import { once } from 'node:events';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { afterEach, describe, expect, test } from 'vitest';
import { ManualTime } from '../../../support/manual-time.ts';
import { serverSessions } from '../../../support/server-sessions.ts';
import { waitFor } from '../../../support/wait.ts';
import { stopServers } from '../network/harness.ts';
import { openSession, startHttp, stopApps } from './harness.ts';

afterEach(async () => {
  await stopApps();
  await stopServers();
});

const MAX_IDLE_MS = 1000;

async function get(session: ClientHttp2Session, path: string): Promise<number> {
  const stream = session.request({ ':path': path });
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  await once(stream.resume(), 'close');
  return Number(headers[':status']);
}

/** Resolves when everything sent before has been seen by the broker. */
const roundTrip = (session: ClientHttp2Session) =>
  new Promise<void>((resolve, reject) => {
    session.ping(error => (error === null ? resolve() : reject(error)));
  });

describe('an HTTP/2 session', () => {
  test('is closed when it has been idle for connections.max.idle.ms, and not while it is used', async () => {
    const time = new ManualTime();
    const { origin } = await startHttp({ respond: () => undefined, idle: { maxMs: MAX_IDLE_MS, time } });
    const idle = openSession(origin);
    const asking = openSession(origin);
    const pinging = openSession(origin);
    const closed = once(idle, 'close');
    for (const session of [idle, asking, pinging]) await get(session, '/healthz');
    await time.advance(MAX_IDLE_MS - 1);
    expect(await get(asking, '/healthz')).toBe(200);
    await roundTrip(asking);
    await roundTrip(pinging);
    expect(idle.closed).toBe(false);
    await time.advance(1);
    await closed;
    await time.advance(MAX_IDLE_MS - 2);
    expect(await get(asking, '/healthz')).toBe(200);
    await roundTrip(pinging);
    expect([asking.closed, pinging.closed]).toEqual([false, false]);
  });

  test('leaves nothing behind when it is over', async () => {
    const server = await startHttp({ respond: () => undefined });
    for (let i = 0; i < 20; i++) {
      const session = openSession(server.origin);
      expect(await get(session, '/healthz')).toBe(200);
      const closed = once(session, 'close');
      session.close();
      await closed;
    }
    await waitFor('the sessions to be forgotten', () => serverSessions() < 5, { timeoutMs: 10_000 });
  });
});
