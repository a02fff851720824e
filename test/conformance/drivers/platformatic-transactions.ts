import { Consumer, Producer, type BaseOptions, type Message } from '@platformatic/kafka';
import type { Commands } from '../matrix/foreign-client.ts';
import type { Handlers } from './lines.ts';

/** The client asks for producer id 0 unless it is told otherwise, which only a transactional id that is new may have. */
const NONE_YET = { producerId: -1n, producerEpoch: -1 };

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
    new Producer({ ...options(), transactionalId, idempotent: true, timeout: 30_000, retries: 600, retryDelay: 50 });

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

  async function copy({ group, source, target, transactionalId, until }: Commands['copy'][0]): Promise<object> {
    let producer = connected(transactionalId);
    const consumer = new Consumer({ ...options(), groupId: group, autocommit: false, maxWaitTime: 300 });
    for (let isFirst = true; ; isFirst = false) {
      // A stream begins at what is committed.
      const stream = await consumer.consume({ topics: [source], mode: 'committed', fallbackMode: 'earliest' });
      for await (const message of stream) {
        const isCommitted = await copied(message, isFirst);
        if (!isCommitted) break;
        if (message.value.toString() !== until) continue;
        await consumer.close(true);
        return {};
      }
      await stream.close();
    }

    /** Copies a record in a transaction; where that fails, the next one is that of a new producer. */
    async function copied(message: Message, inVain: boolean): Promise<boolean> {
      try {
        const transaction = await producer.beginTransaction(NONE_YET);
        await transaction.addConsumer(consumer);
        await transaction.send({ messages: [{ topic: target, value: message.value, partition: 0 }] });
        if (!inVain) await transaction.addOffset(message);
        await (inVain ? transaction.abort() : transaction.commit());
        return !inVain;
      } catch (error) {
        console.error(error);
        producer = connected(transactionalId);
        return false;
      }
    }
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
