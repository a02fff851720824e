import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { RestClients } from '../../../../../../broker/http/rest/clients.ts';
import { streamOptions } from '../../../../../../broker/http/rest/groups/stream-options.ts';
import { EVENTS, LINES } from '../../../../../../broker/http/rest/groups/stream-output.ts';
import { GroupStreams } from '../../../../../../broker/http/rest/groups/streams.ts';
import { ErrorCode } from '../../../../../../shared/protocol/errors.ts';
import { silentLogger } from '../../../../../../shared/runtime/logger.ts';
import { ManualTime } from '../../../../../support/manual-time.ts';
import { ScriptedCluster } from '../../../../../support/scripted-cluster.ts';
import { ScriptedGroup } from '../../../../../support/scripted-group.ts';
import { scriptLogs } from '../../../../../support/scripted-logs.ts';

/** What is hard to come by over a real connection: when exactly it takes a piece, and when it does not. */

let time: ManualTime;
let cluster: ScriptedCluster;
let group: ScriptedGroup;
let streams: GroupStreams;

beforeEach(() => {
  time = new ManualTime();
  cluster = new ScriptedCluster();
  group = new ScriptedGroup(cluster);
  const clients = new RestClients({ connector: cluster, runtime: { clock: time.clock, timers: time.timers } });
  streams = new GroupStreams({ clients, clock: time.clock, timers: time.timers, logger: silentLogger });
});

/** An answer whose connection takes pieces when the test says so. */
class FakeResponse extends EventEmitter {
  readonly written: string[] = [];
  readonly #waiting: (() => void)[] = [];
  /** How many more pieces it takes. */
  takes = Infinity;
  hasEnded = false;

  writeHead(status: number): void {
    this.written.push(`status ${status}`);
  }

  write(text: string, done: () => void): void {
    this.written.push(text);
    if (this.takes-- > 0) done();
    else this.#waiting.push(done);
  }

  takeAll(): void {
    this.takes = Infinity;
    for (const done of this.#waiting.splice(0)) done();
  }

  end(): void {
    this.hasEnded = true;
    this.emit('close');
  }
}

function serve(query: Record<string, string> = {}, form = LINES) {
  const response = new FakeResponse();
  const options = streamOptions('g', { topics: 't', start: 'earliest', ...query });
  let hasBegun = false;
  const served = streams.serve(options, form, response as unknown as ServerResponse, () => (hasBegun = true));
  served.catch(() => {});
  return { response, served, begun: () => hasBegun };
}

const values = (count: number) => ({ 0: Array.from({ length: count }, (_, n) => Buffer.from(`v${n}`)) });
const offsetsOf = (written: readonly string[]) =>
  Array.from(written.join('').matchAll(/"offset":(\d+)/g), ([, offset]) => Number(offset));

describe('a stream', () => {
  test('begins with its membership, then tells records, then keeps saying that there is nothing', async () => {
    scriptLogs(cluster, values(2));
    const { response } = serve();
    await time.advance(60_000);
    const [status, first, ...rest] = response.written;
    expect(status).toBe('status 200');
    expect(JSON.parse(first!)).toEqual({
      event: 'assigned',
      group: 'g',
      member: 'm1',
      generation: 1,
      partitions: [{ topic: 't', partition: 0 }],
    });
    expect(offsetsOf(rest)).toEqual([0, 1]);
    expect(rest.filter(text => text === '{"event":"waiting"}\n').length).toBeGreaterThanOrEqual(3);
  });

  test('as events gives them names, and comments for quiet times', async () => {
    scriptLogs(cluster, values(1));
    const { response } = serve({}, EVENTS);
    await time.advance(30_000);
    const text = response.written.join('');
    expect(text).toMatch(
      /event: assigned\ndata: \{"event":"assigned".*\}\n\ndata: \{"topic":"t","partition":0,"offset":0,/,
    );
    expect(text).toContain(': waiting\n\n');
  });

  test('whose connection takes nothing polls for nothing more, and goes on when it does', async () => {
    scriptLogs(cluster, values(1_200));
    const { response } = serve();
    response.takes = 0;
    await time.advance(10_000);
    const fetches = () => cluster.calls.filter(({ api }) => api === 'Fetch').length;
    const before = fetches();
    await time.advance(60_000);
    // The membership is not taken yet: what has been fetched is all that is held.
    expect(fetches()).toBe(before);
    expect(offsetsOf(response.written)).toEqual([]);
    response.takeAll();
    await time.advance(1_000);
    expect(offsetsOf(response.written).length).toBe(1_200);
  });

  test('commits what its connection has taken, and not what it has not', async () => {
    scriptLogs(cluster, values(700));
    const { response, served } = serve();
    // The membership, and what one poll brings: of the rest nobody knows whether it will arrive.
    response.takes = 2;
    await time.advance(10_000);
    expect(offsetsOf(response.written).length).toBe(700);
    response.emit('close');
    await time.advance(1_000);
    await served;
    expect(group.committed.get(0)).toBe(500);
    expect(group.asked.at(-1)).toBe('leave m1: the consumer is being closed');
  });

  test('that ends at its limit commits exactly that, and leaves', async () => {
    scriptLogs(cluster, values(700));
    const { response, served } = serve({ limit: '503' });
    await time.advance(5_000);
    await served;
    expect(offsetsOf(response.written).length).toBe(503);
    expect(response.written.at(-1)).toBe('{"event":"end","reason":"limit"}\n');
    expect(response.hasEnded).toBe(true);
    expect(group.committed.get(0)).toBe(503);
    expect(group.asked.at(-1)).toBe('leave m1: the consumer is being closed');
    expect(streams.count).toBe(0);
  });

  test('commits nothing by itself when that is not wanted', async () => {
    scriptLogs(cluster, values(5));
    const { served } = serve({ limit: '3', auto_commit: 'false' });
    await time.advance(5_000);
    await served;
    expect(group.committed.size).toBe(0);
  });

  test('tells what goes wrong later as its last event', async () => {
    const { response, served } = serve();
    await time.advance(100);
    group.errors.push({ api: 'Heartbeat', code: ErrorCode.GROUP_AUTHORIZATION_FAILED });
    await time.advance(5_000);
    await served;
    expect(JSON.parse(response.written.at(-1)!)).toMatchObject({
      event: 'error',
      error_code: 40301,
      error: 'GROUP_AUTHORIZATION_FAILED',
    });
    expect(response.hasEnded).toBe(true);
  });

  test('that the group does not take is refused before anything is written', async () => {
    group.errors.push({ api: 'JoinGroup', code: ErrorCode.GROUP_MAX_SIZE_REACHED });
    const { response, served, begun } = serve();
    await time.advance(5_000);
    await expect(served).rejects.toMatchObject({ codeName: 'GROUP_MAX_SIZE_REACHED' });
    expect(begun()).toBe(false);
    expect(response.written).toEqual([]);
    expect(response.hasEnded).toBe(false);
    expect(streams.count).toBe(0);
  });

  test('whose reader leaves while it joins leaves, too', async () => {
    group.errors.push({ api: 'JoinGroup', code: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS });
    const { response, served } = serve();
    response.emit('close');
    await time.advance(5_000);
    await served;
    expect(streams.count).toBe(0);
  });
});

test('there are 256 at a broker at most, and none once it ends', async () => {
  const all = Array.from({ length: 256 }, () => serve());
  await time.advance(1_000);
  expect(streams.count).toBe(256);
  await expect(serve().served).rejects.toThrow('This broker serves 256 streams of groups already');
  const closed = streams.close(2_000);
  await time.advance(2_000);
  await closed;
  expect(all.map(({ response }) => response.written.at(-1))).toEqual(
    Array(256).fill('{"event":"end","reason":"the broker is shutting down"}\n'),
  );
  await expect(serve().served).rejects.toMatchObject({ statusCode: 503, errorCode: 50303 });
});
