import { afterEach, describe, expect, test } from 'vitest';
import { PooledAnswerMemory } from '../../../../broker/network/answer-memory.ts';
import { PoisoningPool } from '../../../support/poisoning-pool.ts';
import { deferred, FETCH, frame, RawClient, startServer, stopServers, until, type Respond } from './harness.ts';

afterEach(stopServers);

const SIZE = 100_000;
const pooled = () => new PoisoningPool(16 << 20);

describe('the memory of an answer', () => {
  test('is used again after its release, and only then', () => {
    const pool = pooled();
    const first = new PooledAnswerMemory(pool);
    const bytes = first.take(SIZE);
    const second = new PooledAnswerMemory(pool).take(SIZE);
    expect(second.buffer).not.toBe(bytes.buffer);
    first.release();
    first.release();
    expect(pool.returns).toBe(1);
    expect(new PooledAnswerMemory(pool).take(SIZE).buffer).toBe(bytes.buffer);
  });

  test('is as long as what was read', async () => {
    const memory = new PooledAnswerMemory(pooled());
    const bytes = await memory.fill(SIZE, target => Promise.resolve(target.write('abc')));
    expect(bytes.toString()).toBe('abc');
    expect(memory.take(SIZE)).toHaveLength(SIZE);
  });

  test('is never used again when it is released under a read', async () => {
    const pool = pooled();
    const memory = new PooledAnswerMemory(pool);
    const done = memory.take(SIZE);
    const { promise, resolve } = deferred<number>();
    const reading = memory.fill(SIZE, () => promise);
    memory.release();
    resolve(SIZE);
    const bytes = await reading;
    expect(pool.returns).toBe(0);
    for (const { buffer } of [bytes, done]) expect(new PooledAnswerMemory(pool).take(SIZE).buffer).not.toBe(buffer);
  });

  test('that is taken after the release is left alone', () => {
    const pool = pooled();
    const memory = new PooledAnswerMemory(pool);
    memory.release();
    const late = memory.take(SIZE).fill(7);
    memory.release();
    expect(pool.returns).toBe(0);
    expect(late.every(byte => byte === 7)).toBe(true);
  });
});

/** Answers with as many bytes as the request says, each of the value that it says. */
const fillAnswer: Respond = (body, context) => {
  const bytes = context.answerMemory!.take(body.readInt32BE(0)).fill(body[4]!);
  return [Buffer.from('head'), bytes];
};

function order(size: number, value: number): Buffer {
  const body = Buffer.alloc(5, value);
  body.writeInt32BE(size, 0);
  return body;
}

describe('answers over the Kafka protocol', () => {
  test('arrive as they were, however slowly they are read and whoever else is answered meanwhile', async () => {
    const pool = pooled();
    const { port } = await startServer({ respond: fillAnswer, pool });
    const slow = await RawClient.connect(port);
    // More than the kernel's buffers hold: the write stays under way.
    const large = 12 << 20;
    slow.socket.pause();
    slow.write(frame(FETCH, 4, 1, order(large, 1)));
    const busy = await RawClient.connect(port);
    for (let id = 2; id < 60; id++) {
      busy.write(frame(FETCH, 4, id, order(id % 20 === 0 ? large : SIZE, id)));
      const { body } = await busy.answer();
      expect(body.subarray(4).every(byte => byte === id)).toBe(true);
    }
    expect(pool.returns).toBeGreaterThan(40);
    slow.socket.resume();
    const { body } = await slow.answer();
    expect(body).toHaveLength(4 + large);
    expect(body.subarray(4).every(byte => byte === 1)).toBe(true);
    await until(() => pool.returns >= 59, 'all memory being given back');
  });

  test('give their memory back when the connection is cut off under them', async () => {
    const pool = pooled();
    const { port, memory } = await startServer({ respond: fillAnswer, pool });
    const client = await RawClient.connect(port);
    client.socket.pause();
    client.write(frame(FETCH, 4, 1, order(12 << 20, 1)), frame(FETCH, 4, 2, order(SIZE, 2)));
    await until(() => memory.bytesInFlight > 0, 'the request to be there');
    client.socket.destroy();
    await until(() => memory.bytesInFlight === 0, 'the requests to be over');
    await until(() => pool.returns > 0, 'the memory being given back');
  });
});
