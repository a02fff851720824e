import { Consumer, Producer, type BaseOptions } from '@platformatic/kafka';
import type { Commands } from '../matrix/foreign-client.ts';
import type { Handlers } from './lines.ts';

/** The client asks for producer id 0 unless it is told otherwise, which only a transactional id that is new may have. */
const NONE_YET = { producerId: -1n, producerEpoch: -1 };

/** A member that is gone without a word is missed soon. */
const READING = { autocommit: false, maxWaitTime: 300, sessionTimeout: 6_000, heartbeatInterval: 300 };

type Transaction = Awaited<ReturnType<Producer['beginTransaction']>>;

interface Transactional {
  readonly producer: Producer;
  transaction: Transaction | null;
}

/** Transactions of @platformatic/kafka; a producer is initialized by its first one. */
export function platformaticTransactions(
  options: () => BaseOptions,
): Pick<Handlers, 'openProducer' | 'transact' | 'copy'> {
  const producers = new Map<string, Transactional>();

  const connected = (transactionalId: string): Producer =>
    new Producer({ ...options(), transactionalId, idempotent: true, timeout: 30_000, retries: 100, retryDelay: 50 });

  async function transact({ producer: name, topic, records, end }: Commands['transact'][0]): Promise<object> {
    const of = producers.get(name)!;
    const transaction = (of.transaction ??= await of.producer.beginTransaction(NONE_YET));
    const messages = records.map(({ value, partition }) => ({
      topic,
      value: Buffer.from(value),
      partition: partition!,
    }));
    if (messages.length > 0) await transaction.send({ messages });
    if (end === null) return {};
    of.transaction = null;
    await (end === 'commit' ? transaction.commit() : transaction.abort());
    return {};
  }

  /**
   * A message keeps the coordinator that its group had when it was read, and a transaction asks no other one; a consumer
   * whose coordinator has left the cluster may not look for the next. So both are made anew when a transaction fails.
   */
  async function copy(request: Commands['copy'][0]): Promise<object> {
    for (let inVain = true; ;) {
      const producer = connected(request.transactionalId);
      const consumer = new Consumer({ ...options(), ...READING, groupId: request.group });
      try {
        if (inVain) await copyWith(producer, consumer, request, 'abort');
        inVain = false;
        await copyWith(producer, consumer, request, 'commit');
        return {};
      } catch (error) {
        console.error(error);
        await new Promise(resolve => setTimeout(resolve, 100));
      } finally {
        await Promise.allSettled([consumer.close(true), producer.close()]);
      }
    }
  }

  /** Copies what is not committed yet, a record in a transaction, up to the last one, or until one has been aborted. */
  async function copyWith(
    producer: Producer,
    consumer: Consumer,
    { source, target, until }: Commands['copy'][0],
    end: 'commit' | 'abort',
  ): Promise<void> {
    const stream = await consumer.consume({ topics: [source], mode: 'committed', fallbackMode: 'earliest' });
    for await (const message of stream) {
      const transaction = await producer.beginTransaction(NONE_YET);
      await transaction.addConsumer(consumer);
      await transaction.send({ messages: [{ topic: target, value: message.value, partition: 0 }] });
      if (end === 'commit') await transaction.addOffset(message);
      await transaction[end]();
      if (end === 'abort' || message.value.toString() === until) break;
    }
    // What was to be done is done, whatever becomes of the stream.
    await stream.close().catch(console.error);
  }

  return {
    async openProducer({ producer: name, transactionalId }) {
      const producer = connected(transactionalId);
      producers.set(name, { producer, transaction: await producer.beginTransaction(NONE_YET) });
      return {};
    },
    transact,
    copy,
  };
}
