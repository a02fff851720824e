import { KafkaConnector } from '../../shared/connection/kafka.ts';
import { ErrorCode, errorByCode } from '../../shared/protocol/errors.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import { BatchBuilder } from '../../shared/records/batch-builder.ts';
import { systemTimers } from '../../shared/runtime/clock.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';

/** Whose transaction it is that hangs: an id that no coordinator has given away. */
export const HANGING_PRODUCER_ID = 777_777;

/**
 * Begins a transaction in a partition, an hour ago, that no coordinator knows and so none will end: what a producer does
 * whose record comes late, after its transaction has ended (KIP-890). The leader must have
 * `transaction.partition.verification.enable=false`, or it refuses the record.
 */
export async function hangTransaction(port: number, { topic, partition }: TopicPartition): Promise<void> {
  const builder = new BatchBuilder();
  builder.append(Date.now() - 3_600_000, null, Buffer.from('late'));
  const records = builder.build({
    producerId: HANGING_PRODUCER_ID,
    producerEpoch: 0,
    baseSequence: 0,
    isTransactional: true,
  });
  const connector = new KafkaConnector({
    clientId: 'late-producer',
    requestTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
    negotiate: true,
    timers: systemTimers,
  });
  const connection = await connector.connect({ host: '127.0.0.1', port });
  try {
    const answer = await connection.call(Produce, {
      transactionalId: 'ended-long-ago',
      acks: -1,
      timeoutMs: 5_000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    });
    const { errorCode } = answer!.responses[0]!.partitionResponses[0]!;
    if (errorCode !== ErrorCode.NONE)
      throw new Error(`the late record was refused with ${errorByCode(errorCode).name}`);
  } finally {
    connection.close();
  }
}
