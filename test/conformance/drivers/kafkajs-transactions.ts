import type { EachBatchPayload, Kafka, Producer, Transaction } from 'kafkajs';
import type { Commands } from '../matrix/foreign-client.ts';
import type { Handlers } from './lines.ts';

interface Transactional {
  readonly producer: Producer;
  transaction: Transaction | null;
}

/** Transactions of kafkajs. */
export function kafkajsTransactions(
  connect: (clientId: string) => Kafka,
): Pick<Handlers, 'openProducer' | 'transact' | 'copy'> {
  const producers = new Map<string, Transactional>();

  async function connected(transactionalId: string): Promise<Producer> {
    const producer = connect(transactionalId).producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    return producer;
  }

  /** The client gives up at once where the coordinator's broker is gone. */
  async function connectedInTheEnd(transactionalId: string): Promise<Producer> {
    for (;;) {
      try {
        return await connected(transactionalId);
      } catch {
        await new Promise(resolve => setTimeout(resolve, 200));
      }
    }
  }

  async function transact({ producer: name, topic, records, end }: Commands['transact'][0]): Promise<object> {
    const of = producers.get(name)!;
    const transaction = (of.transaction ??= await of.producer.transaction());
    const messages = records.map(({ value, partition }) => ({ value, partition: partition! }));
    if (messages.length > 0) await transaction.send({ topic, messages });
    if (end === null) return {};
    of.transaction = null;
    await (end === 'commit' ? transaction.commit() : transaction.abort());
    return {};
  }

  async function copy({ group, source, target, transactionalId, until }: Commands['copy'][0]): Promise<object> {
    const consumer = connect(group).consumer({ groupId: group, readUncommitted: false, maxWaitTimeInMs: 300 });
    let producer = await connected(transactionalId);
    let isFirst = true;
    await consumer.connect();
    await consumer.subscribe({ topics: [source], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const eachBatch = async (given: EachBatchPayload) => {
        const { batch } = given;
        const last = batch.messages.at(-1)!;
        const isCommitted = await copied(batch, isFirst);
        isFirst = false;
        if (!isCommitted) return;
        // What is not resolved is read again.
        given.resolveOffset(last.offset);
        if (last.value!.toString() === until) resolve();
      };
      consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
        if (!restart) reject(error);
      });
      consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch }).catch(reject);
    });
    await consumer.disconnect();
    return {};

    /** Copies a batch in a transaction; where that fails, the next one is that of a new producer. */
    async function copied(
      { topic, partition, messages }: EachBatchPayload['batch'],
      inVain: boolean,
    ): Promise<boolean> {
      const offset = String(Number(messages.at(-1)!.offset) + 1);
      try {
        const transaction = await producer.transaction();
        await transaction.send({ topic: target, messages: messages.map(({ value }) => ({ value, partition: 0 })) });
        if (inVain) {
          await transaction.abort();
          return false;
        }
        await transaction.sendOffsets({
          consumerGroupId: group,
          topics: [{ topic, partitions: [{ partition, offset }] }],
        });
        await transaction.commit();
        return true;
      } catch (error) {
        console.error(error);
        producer = await connectedInTheEnd(transactionalId);
        return false;
      }
    }
  }

  return {
    async openProducer({ producer, transactionalId }) {
      producers.set(producer, { producer: await connected(transactionalId), transaction: null });
      return {};
    },
    transact,
    copy,
  };
}
