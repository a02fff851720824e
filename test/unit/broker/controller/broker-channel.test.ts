import { expect, test } from 'vitest';
import { BrokerChannel } from '../../../../broker/controller/broker-channel.ts';
import { ConnectionError, type Connection, type Connector } from '../../../../shared/connection/connection.ts';
import { UpdateMetadata } from '../../../../shared/protocol/messages/update-metadata.ts';
import { silentLogger, type Logger } from '../../../../shared/runtime/logger.ts';
import { VirtualTime } from '../../../support/virtual-time.ts';

/** A peer whose behaviour is a list: what the next connects and calls do. */
function channelTo(behaviour: ('refuse' | 'break' | 'answer')[], logger: Logger = silentLogger) {
  const time = new VirtualTime();
  const log: string[] = [];
  let inFlight = 0;
  const connector: Connector = {
    async connect() {
      await time.sleep(1);
      if (behaviour[0] === 'refuse') {
        behaviour.shift();
        log.push(`refused`);
        throw new ConnectionError('REFUSED', 'nobody there');
      }
      let closed = false;
      const connection = {
        peer: 'x',
        get closed() {
          return closed;
        },
        close: () => (closed = true),
        async call(_api: unknown, request: { controllerId: number }) {
          expect(++inFlight).toBe(1);
          await time.sleep(2);
          inFlight--;
          const next = behaviour.shift() ?? 'answer';
          log.push(`${next} ${request.controllerId}`);
          if (next === 'break') throw new ConnectionError('CLOSED', 'broken');
          return { errorCode: request.controllerId };
        },
      };
      return connection as unknown as Connection;
    },
  };
  const channel = new BrokerChannel({ host: 'x', port: 1 }, { connector, timers: time, logger });
  const send = (id: number) =>
    channel.send(
      UpdateMetadata,
      8,
      { controllerId: id, controllerEpoch: 1, brokerEpoch: 1n, topicStates: [], liveBrokers: [] },
      1000,
      ({ errorCode }) => log.push(`response ${errorCode}`),
    );
  return { time, log, channel, send };
}

test('in order, one in flight, again after 100 ms until answered', async () => {
  const { time, log, channel, send } = channelTo(['refuse', 'break', 'answer']);
  const startMs = time.now();
  for (const id of [1, 2, 3]) send(id);
  await time.until('all answered', () => channel.queueSize === 0);
  expect(log).toEqual([
    'refused',
    'break 1',
    'answer 1',
    'response 1',
    'answer 2',
    'response 2',
    'answer 3',
    'response 3',
  ]);
  expect(time.now() - startMs).toBe(1 + 100 + 1 + 2 + 100 + 1 + 3 * 2);
});

test('a closed channel drops everything and calls nobody back', async () => {
  const { time, log, channel, send } = channelTo([]);
  send(1);
  send(2);
  await time.advance(2);
  channel.close();
  send(3);
  await time.advance(1000);
  expect(log).toEqual(['answer 1']);
  expect(channel.queueSize).toBe(0);
});

test('a channel that is closed while it waits to send again ends', async () => {
  const { time, log, channel, send } = channelTo(Array<'refuse'>(1000).fill('refuse'));
  send(1);
  await time.advance(350);
  channel.close();
  const refused = log.length;
  expect(refused).toBe(4);
  await time.advance(5000);
  expect(log).toHaveLength(refused);
});

test('a request that cannot be sent is told of once', async () => {
  const told: string[] = [];
  const logger = { ...silentLogger, warn: (_: unknown, message = '') => void told.push(message) };
  const { time, channel, send } = channelTo(Array<'refuse'>(20).fill('refuse'), logger);
  send(1);
  send(2);
  await time.until('all answered', () => channel.queueSize === 0);
  expect(told).toEqual(['could not send UpdateMetadata to x:1; sending it again']);
});
