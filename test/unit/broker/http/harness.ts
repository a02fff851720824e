import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { createHttpApp, type HttpApp, type HttpAppParts } from '../../../../broker/http/app.ts';
import type { Readiness } from '../../../../broker/http/ports.ts';
import { systemClock, systemTimers } from '../../../../shared/runtime/clock.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import type { BufferPool } from '../../../../shared/memory/buffer-pool.ts';
import type { ListenerSpec } from '../../../../broker/network/options.ts';
import { RequestMemory } from '../../../../broker/network/request-memory.ts';
import { startServer, StubDispatcher, type Respond, type ServerUnderTest } from '../network/harness.ts';

export interface HttpUnderTest extends ServerUnderTest {
  readonly app: HttpApp;
  readonly origin: string;
  readonly calls: [number, number, number][];
}

export interface HttpSettings {
  readonly respond: Respond;
  readonly memoryBytes?: number;
  readonly pool?: BufferPool;
  readonly requestTimeoutMs?: number;
  readonly maxRequestBytes?: number;
  readonly readiness?: () => Readiness;
  readonly listeners?: ListenerSpec[];
  readonly routes?: HttpAppParts['routes'];
  /** `connections.max.idle.ms`, and the time it is measured in. */
  readonly idle?: { readonly maxMs: number; readonly time: Pick<HttpAppParts, 'clock' | 'timers'> };
}

const apps: HttpApp[] = [];
const sessions: ClientHttp2Session[] = [];

/** A listener with the HTTP app behind it: one port, all dialects. */
export async function startHttp(settings: HttpSettings): Promise<HttpUnderTest> {
  const dispatcher = new StubDispatcher(settings.respond);
  const time = settings.idle?.time ?? { clock: systemClock, timers: systemTimers };
  const memory = new RequestMemory(settings.memoryBytes ?? 64 << 20, time, settings.pool);
  const calls: [number, number, number][] = [];
  const app = await createHttpApp({
    dispatcher,
    memory,
    options: {
      maxRequestBytes: settings.maxRequestBytes ?? 100 << 20,
      requestTimeoutMs: settings.requestTimeoutMs ?? 30_000,
      maxIdleMs: settings.idle?.maxMs ?? 600_000,
    },
    observer: { requestAnswered: (key, _elapsed, bytesIn, bytesOut) => void calls.push([key, bytesIn, bytesOut]) },
    ...time,
    logger: silentLogger,
    readiness: settings.readiness ?? (() => ({ ready: true, reason: '' })),
    ...(settings.routes === undefined ? {} : { routes: settings.routes }),
    registry: { contentType: 'text/plain; version=0.0.4; charset=utf-8', metrics: async () => 'samsa_up 1\n' },
  });
  apps.push(app);
  const server = await startServer({
    respond: settings.respond,
    http: app,
    ...(settings.listeners === undefined ? {} : { listeners: settings.listeners }),
  });
  return { ...server, memory, app, calls, origin: `http://127.0.0.1:${server.port}` };
}

export async function stopApps(): Promise<void> {
  for (const session of sessions.splice(0)) session.destroy();
  await Promise.all(apps.splice(0).map(app => app.close(200)));
}

export function openSession(origin: string): ClientHttp2Session {
  const session = connectHttp2(origin);
  session.on('error', () => {});
  sessions.push(session);
  return session;
}

export interface StreamAnswer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: Buffer;
}

/** Heads of answers, which may come before anybody asks for them. */
const heads = new WeakMap<ClientHttp2Stream, { status: number; type: string | undefined }>();

/** What comes back on a stream; rejects when it is reset. */
export function answerOf(stream: ClientHttp2Stream): Promise<StreamAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const head = heads.get(stream);
      if (head !== undefined) resolve({ ...head, body: Buffer.concat(chunks) });
    });
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('reset')));
  });
}

/** Starts an RPC whose body the caller writes. */
export function rpc(
  session: ClientHttp2Session,
  path: string,
  headers: Record<string, string | number> = {},
): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/v1/rpc/${path}`,
    'content-type': 'application/vnd.kafka.rpc',
    ...headers,
  });
  stream.on('response', answer => heads.set(stream, { status: answer[':status'] ?? 0, type: answer['content-type'] }));
  return stream;
}
