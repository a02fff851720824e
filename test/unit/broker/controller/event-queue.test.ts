import { expect, test } from 'vitest';
import { EventQueue, type ControllerEvent, type ControllerState } from '../../../../broker/controller/event-queue.ts';
import { VirtualTime } from '../../../support/virtual-time.ts';

function queueOf(time = new VirtualTime()) {
  const log: string[] = [];
  const queue = new EventQueue({
    clock: time,
    observer: { eventProcessed: (state, queueMs, processMs) => log.push(`${state} ${queueMs} ${processMs}`) },
    onError: async error => void log.push(`error ${(error as Error).message}`),
  });
  const event = (
    name: string,
    process: () => Promise<void>,
    state: ControllerState = 'TopicChange',
  ): ControllerEvent => ({
    state,
    process: async () => {
      log.push(`begin ${name}`);
      await process();
      log.push(`end ${name}`);
    },
    preempt: () => log.push(`preempt ${name}`),
  });
  return { queue, log, time, event };
}

test('events are processed one at a time, in order, with their times', async () => {
  const { queue, log, time, event } = queueOf();
  queue.put(event('a', () => time.sleep(5)));
  queue.put(event('b', () => time.sleep(3), 'BrokerChange'));
  expect([queue.state, queue.size]).toEqual(['TopicChange', 1]);
  await time.until('idle', () => queue.state === 'Idle' && queue.size === 0);
  expect(log).toEqual(['begin a', 'end a', 'TopicChange 0 5', 'begin b', 'end b', 'BrokerChange 5 3']);
});

test('an event that fails is handed over before the next begins', async () => {
  const { queue, log, time, event } = queueOf();
  queue.put(event('a', () => Promise.reject(new Error('broken'))));
  queue.put(event('b', async () => {}));
  await time.advance(1);
  expect(log.filter(line => !line.startsWith('TopicChange'))).toEqual(['begin a', 'error broken', 'begin b', 'end b']);
});

test('clearing preempts what waits, each once; what runs goes on to its end', async () => {
  const { queue, log, time, event } = queueOf();
  queue.put(event('running', () => time.sleep(5)));
  queue.put(event('waiting 1', async () => {}));
  queue.put(event('waiting 2', async () => {}));
  queue.clearAndPut(event('last', async () => {}));
  queue.close();
  queue.put(event('too late', async () => {}));
  await time.advance(10);
  expect(log.filter(line => !line.startsWith('TopicChange'))).toEqual([
    'begin running',
    'preempt waiting 1',
    'preempt waiting 2',
    'preempt too late',
    'end running',
    'begin last',
    'end last',
  ]);
});
