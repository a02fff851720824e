import { describe, expect, test } from 'vitest';
import { judgeProposal, type IsrProposal, type IsrSituation } from '../../../../broker/controller/isr-verdict.ts';
import type { RequestOf } from '../../../../shared/protocol/api.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import type { AlterPartition } from '../../../../shared/protocol/messages/alter-partition.ts';
import { LeaderAndIsr } from '../../../../shared/protocol/messages/leader-and-isr.ts';
import { ControllerCluster } from '../../../support/controller-cluster.ts';

describe('the verdict', () => {
  const situation: IsrSituation = {
    current: { leader: 1, leaderEpoch: 5, isr: [1, 2], controllerEpoch: 3, partitionEpoch: 8, recovering: false },
    replicas: [1, 2, 3, 4],
    controllerEpoch: 4,
    isLive: broker => broker !== 4,
  };
  const recovering = { ...situation, current: { ...situation.current, isr: [1], recovering: true } };
  const proposal: IsrProposal = { broker: 1, leaderEpoch: 5, partitionEpoch: 8, isr: [1, 2, 3], recovering: false };
  const codeOf = (changed: Partial<IsrProposal>, at: IsrSituation = situation) => {
    const verdict = judgeProposal({ ...proposal, ...changed }, at);
    return verdict.kind === 'error' ? verdict.errorCode : verdict.kind;
  };

  test('grants what is new, keeping the leader epoch', () => {
    expect(judgeProposal(proposal, situation)).toEqual({
      kind: 'write',
      state: { ...situation.current, isr: [1, 2, 3], controllerEpoch: 4 },
    });
  });

  test.each<[string, Partial<IsrProposal>, number | string, IsrSituation?]>([
    ['partition epoch from the future', { partitionEpoch: 9 }, ErrorCode.NOT_CONTROLLER],
    ['leader epoch from the future', { leaderEpoch: 6 }, ErrorCode.NOT_CONTROLLER],
    ['older leader epoch', { leaderEpoch: 4, partitionEpoch: 7 }, ErrorCode.FENCED_LEADER_EPOCH],
    ['what is there already', { isr: [1, 2] }, 'unchanged'],
    ['what is there already, retried', { isr: [1, 2], partitionEpoch: 7 }, 'unchanged'],
    ['older partition epoch', { partitionEpoch: 7 }, ErrorCode.INVALID_UPDATE_VERSION],
    ['from a broker that does not lead', { broker: 2, isr: [2] }, ErrorCode.INVALID_REQUEST],
    ['without the leader', { isr: [2] }, ErrorCode.INVALID_REQUEST],
    ['without anybody', { isr: [] }, ErrorCode.INVALID_REQUEST],
    ['with a broker that has no replica', { isr: [1, 9] }, ErrorCode.INVALID_REQUEST],
    ['recovering although it has recovered', { isr: [1], recovering: true }, ErrorCode.INVALID_REQUEST],
    ['recovering with followers in sync', { isr: [1, 2], recovering: true }, ErrorCode.INVALID_REQUEST, recovering],
    ['recovered', { isr: [1] }, 'write', recovering],
    ['with a broker that is not live', { isr: [1, 2, 4] }, ErrorCode.INELIGIBLE_REPLICA],
  ])('%s', (_what, changed, expected, at) => {
    expect(codeOf(changed, at)).toBe(expected);
  });
});

describe('AlterPartition', () => {
  type Request = RequestOf<typeof AlterPartition>;

  async function clusterWithTopic() {
    const cluster = await ControllerCluster.start([0, 1, 2]);
    await cluster.createTopic('t', [[1, 2]]);
    await cluster.untilState('t', 0, { leader: 1 });
    const { topicId } = (await cluster.run(cluster.store.topics.get('t')))!;
    const request = (
      isr: readonly number[],
      partitionEpoch = 0,
      brokerEpoch = cluster.broker(1).epoch,
      leaderEpoch = 0,
    ): Request => ({
      brokerId: 1,
      brokerEpoch,
      topics: [
        {
          topicName: 't',
          topicId: topicId!,
          partitions: [
            {
              partitionIndex: 0,
              leaderEpoch,
              newIsr: [...isr],
              newIsrWithEpochs: isr.map(brokerId => ({ brokerId, brokerEpoch: -1n })),
              leaderRecoveryState: 0,
              partitionEpoch,
            },
          ],
        },
      ],
    });
    const send = (message: Request, version = 3) =>
      cluster.run(cluster.broker(0).controller.alterPartition(message, version));
    return { cluster, request, send };
  }

  test('is written without a new leader epoch, and all caches hear of it', async () => {
    const { cluster, request, send } = await clusterWithTopic();
    const before = cluster.broker(2).requests(LeaderAndIsr).length;
    const answer = await send(request([1]));
    expect(answer.topics[0]!.partitions[0]).toMatchObject({
      errorCode: 0,
      leaderId: 1,
      leaderEpoch: 0,
      isr: [1],
      partitionEpoch: 1,
    });
    expect(await cluster.state('t')).toMatchObject({ leader: 1, leaderEpoch: 0, isr: [1], partitionEpoch: 1 });
    await cluster.until('caches', () =>
      [0, 1, 2].every(id => cluster.broker(id).metadata.get('t-0')?.isr.length === 1),
    );
    expect(cluster.broker(2).requests(LeaderAndIsr)).toHaveLength(before);

    const again = await send(request([1], 0));
    expect(again.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, partitionEpoch: 1 });
    expect((await cluster.state('t'))?.partitionEpoch).toBe(1);
    expect((await send(request([1, 2], 0))).topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.INVALID_UPDATE_VERSION);
  });

  test('refusals of a whole request', async () => {
    const { cluster, request, send } = await clusterWithTopic();
    const { epoch } = cluster.broker(1);
    expect((await send(request([1], 0, epoch - 1n))).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH);
    expect((await send(request([1], 0, epoch + 1n))).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH);
    expect((await send({ ...request([1]), brokerId: 9 })).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH);
    const elsewhere = cluster.broker(1).controller.alterPartition(request([1]), 3);
    expect((await cluster.run(elsewhere)).errorCode).toBe(ErrorCode.NOT_CONTROLLER);
  });

  test('unknown topics and partitions; errors that old versions do not know', async () => {
    const { cluster, request, send } = await clusterWithTopic();
    const codeOf = async (message: Request, version: number) =>
      (await send(message, version)).topics[0]!.partitions[0]!.errorCode;
    const [topic] = request([1]).topics;
    const unknownTopic = {
      ...request([1]),
      topics: [{ ...topic!, topicName: 'x', topicId: 'AAAAAAAAAAAAAAAAAAAAAw' }],
    };
    expect(await codeOf(unknownTopic, 3)).toBe(ErrorCode.UNKNOWN_TOPIC_ID);
    expect(await codeOf(unknownTopic, 1)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const partitions = [{ ...topic!.partitions[0]!, partitionIndex: 7 }];
    const unknownPartition = { ...request([1]), topics: [{ ...topic!, partitions }] };
    expect(await codeOf(unknownPartition, 3)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    await cluster.run(
      cluster.broker(0).controller.controlledShutdown({ brokerId: 2, brokerEpoch: cluster.broker(2).epoch }),
    );
    const { partitionEpoch, leaderEpoch } = (await cluster.state('t'))!;
    const back = request([1, 2], partitionEpoch, cluster.broker(1).epoch, leaderEpoch);
    expect(await codeOf(back, 3)).toBe(ErrorCode.INELIGIBLE_REPLICA);
    expect(await codeOf(back, 1)).toBe(ErrorCode.OPERATION_NOT_ATTEMPTED);
  });

  test('a state that somebody else wrote: the leader is told, memory and caches catch up', async () => {
    const { cluster, request, send } = await clusterWithTopic();
    const path = '/brokers/topics/t/partitions/0/state';
    const zk = cluster.broker(1).zooKeeper;
    const data = '{"version":1,"leader":1,"leader_epoch":0,"controller_epoch":1,"isr":[1]}';
    await cluster.run(zk.setData(path, Buffer.from(data), -1));
    expect((await send(request([1, 2], 0))).topics[0]!.partitions[0]).toMatchObject({
      errorCode: 0,
      partitionEpoch: 0,
    });
    expect((await send(request([1], 0))).topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.INVALID_UPDATE_VERSION);
    expect((await send(request([1], 1))).topics[0]!.partitions[0]).toMatchObject({
      errorCode: 0,
      isr: [1],
      partitionEpoch: 1,
    });
  });

  test('notifications of leaders that write by themselves', async () => {
    const { cluster } = await clusterWithTopic();
    const zk = cluster.broker(1).zooKeeper;
    const data = '{"version":1,"leader":1,"leader_epoch":0,"controller_epoch":1,"isr":[1]}';
    await cluster.run(zk.setData('/brokers/topics/t/partitions/0/state', Buffer.from(data), -1));
    await cluster.run(cluster.store.isrChanges.add([{ topic: 't', partition: 0 }]));
    await cluster.until('caches', () => cluster.broker(2).metadata.get('t-0')?.isr.length === 1);
    await cluster.until('removed', async () => (await cluster.store.isrChanges.list()).size === 0);
  });
});
