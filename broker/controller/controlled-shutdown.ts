import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { ControlledShutdown } from '../../shared/protocol/messages/controlled-shutdown.ts';
import type { ControlledPartition, ControllerContext } from './context.ts';
import type { Office } from './office.ts';

type Request = RequestOf<typeof ControlledShutdown>;
type Response = ResponseInput<typeof ControlledShutdown>;

/** A request of a broker that does not know of epochs. */
const NO_BROKER_EPOCH = -1n;

export function controlledShutdownError(errorCode: number): Response {
  return { errorCode, remainingPartitions: [] };
}

/**
 * Moves leadership away from a broker that is about to stop, and takes it out of the ISRs, so that nobody has to wait
 * for its session to expire (Kafka: `doControlledShutdown`). Answers with what it still leads: the broker asks again.
 */
export async function controlledShutdown(office: Office, { brokerId, brokerEpoch }: Request): Promise<Response> {
  const { context, requests, partitions, replicas, logger } = office;
  const broker = context.broker(brokerId);
  if (broker === undefined) return controlledShutdownError(ErrorCode.BROKER_NOT_AVAILABLE);
  if (brokerEpoch !== NO_BROKER_EPOCH && brokerEpoch < broker.epoch) {
    return controlledShutdownError(ErrorCode.STALE_BROKER_EPOCH);
  }
  logger.info({ broker: brokerId }, `broker ${brokerId} is about to stop`);
  context.markShuttingDown(brokerId);
  const replicated = replicatedPartitionsOn(context, brokerId);
  const led = replicated.filter(partition => partition.leadership!.leader === brokerId);
  const followed = replicated.filter(partition => partition.leadership!.leader !== brokerId);
  await partitions.change(led, 'OnlinePartition', { kind: 'controlledShutdown' });
  // The broker stops fetching before the leaders are told that it left, or it would be taken back in.
  const batch = requests.begin();
  for (const partition of followed) batch.addStopReplica(brokerId, partition, false);
  await requests.flush();
  const followers = followed.map(partition => ({ partition, broker: brokerId }));
  await replicas.change(followers, 'OfflineReplica');
  const remaining = replicated.filter(partition => partition.leadership?.leader === brokerId);
  return {
    errorCode: ErrorCode.NONE,
    remainingPartitions: remaining.map(({ topic, partition }) => ({ topicName: topic, partitionIndex: partition })),
  };
}

/** A partition with one replica cannot move; it is not waited for. */
function replicatedPartitionsOn(context: ControllerContext, broker: number): ControlledPartition[] {
  return context
    .replicasOn(new Set([broker]))
    .map(({ partition }) => partition)
    .filter(
      ({ topic, assignment, leadership }) =>
        assignment.replicas.length > 1 && leadership !== null && !context.isQueuedForDeletion(topic),
    );
}
