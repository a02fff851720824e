import { expect, test } from 'vitest';
import type { StubBroker } from '../../../support/controller-cluster.ts';
import { ControllerCluster } from '../../../support/controller-cluster.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';

test('the controller gives live brokers blocks of producer ids, and nobody else', async () => {
  const cluster = await ControllerCluster.start([0, 1, 2]);
  const ask = (of: StubBroker, brokerId: number, brokerEpoch: bigint) =>
    cluster.run(of.controller.allocateProducerIds({ brokerId, brokerEpoch }));
  const controller = cluster.broker(0);
  const { epoch } = cluster.broker(1);
  await cluster.until('the controller knows all', () => controller.knownBrokers.length === 3);
  const block = { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerIdLen: 1000 };
  expect(await ask(controller, 1, epoch)).toEqual({ ...block, producerIdStart: 0 });
  expect(await ask(controller, 2, cluster.broker(2).epoch)).toEqual({ ...block, producerIdStart: 1000 });
  expect(await ask(controller, 1, epoch - 1n)).toMatchObject({ errorCode: ErrorCode.STALE_BROKER_EPOCH });
  expect(await ask(controller, 1, epoch + 1n)).toMatchObject({ errorCode: ErrorCode.STALE_BROKER_EPOCH });
  expect(await ask(controller, 9, epoch)).toMatchObject({ errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED });
  expect(await ask(cluster.broker(1), 1, epoch)).toMatchObject({ errorCode: ErrorCode.NOT_CONTROLLER });

  await cluster.run(cluster.broker(0).stop());
  await cluster.until(
    'a successor',
    () => cluster.broker(1).controller.isActive || cluster.broker(2).controller.isActive,
  );
  const successor = cluster.broker(1).controller.isActive ? cluster.broker(1) : cluster.broker(2);
  expect(await ask(successor, 1, epoch)).toEqual({ ...block, producerIdStart: 2000 });
});

test('a node that cannot be read is the operator’s business', async () => {
  const cluster = await ControllerCluster.start([0]);
  const { controller, epoch, zooKeeper } = cluster.broker(0);
  await cluster.run(zooKeeper.setData('/latest_producer_id_block', Buffer.from('[]'), -1));
  const answer = await cluster.run(controller.allocateProducerIds({ brokerId: 0, brokerEpoch: epoch }));
  expect(answer).toMatchObject({ errorCode: ErrorCode.UNKNOWN_SERVER_ERROR });
});
