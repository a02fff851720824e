import { beforeEach, expect, test } from 'vitest';
import { buildOwnConnector, type OwnConnectorParts } from '../../../broker/own-connector.ts';
import type { Dispatcher } from '../../../broker/request/handler.ts';
import type { Connector } from '../../../shared/connection/connection.ts';
import { systemTimers } from '../../../shared/runtime/clock.ts';
import { brokerConfig, knownCluster } from '../../support/known-cluster.ts';
import { StubDispatcher } from './network/harness.ts';

const NO_ROUTE = 'over the network';

let dispatcher: Dispatcher | null;

beforeEach(() => {
  dispatcher = new StubDispatcher(() => undefined);
});

function build(more: Partial<OwnConnectorParts> = {}): Connector {
  return buildOwnConnector({
    brokerId: 1,
    clientId: 'coordinator',
    config: brokerConfig({ 'broker.id': '1', listeners: 'PLAINTEXT://h1:9092' }),
    metadata: knownCluster([1, 2]),
    timers: systemTimers,
    dispatcher: () => dispatcher,
    remote: { connect: () => Promise.reject(new Error(NO_ROUTE)) },
    ...more,
  });
}

test('to its own address on the listener between brokers, a broker needs no socket', async () => {
  expect(await build().connect({ host: 'h1', port: 9092 })).toMatchObject({ peer: 'local', closed: false });
});

test.each([
  ['another broker', { host: 'h2', port: 9092 }],
  ['another port of its own host', { host: 'h1', port: 9093 }],
])('to %s the way is the network', async (_, address) => {
  await expect(build().connect(address)).rejects.toThrow(NO_ROUTE);
});

test('a broker that answers nothing yet is reached over the network, by itself as by others', async () => {
  dispatcher = null;
  await expect(build().connect({ host: 'h1', port: 9092 })).rejects.toThrow(NO_ROUTE);
});

test('nor does it know its address before the controller has told it', async () => {
  const connector = build({ metadata: knownCluster([]) });
  await expect(connector.connect({ host: 'h1', port: 9092 })).rejects.toThrow(NO_ROUTE);
});

test('a name that stands for it leads to it', async () => {
  const connector = build({ isOwnName: host => host === 'myself' });
  expect(await connector.connect({ host: 'myself', port: 0 })).toMatchObject({ peer: 'local' });
  await expect(connector.connect({ host: 'h2', port: 9092 })).rejects.toThrow(NO_ROUTE);
});
