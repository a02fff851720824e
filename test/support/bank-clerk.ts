/**
 * A clerk of the bank, in a process that is killed and frozen: takes orders, in a group with the other clerks, and books
 * them in transactions that hold the group's offsets too. SIGTERM ends it.
 *
 *     node test/support/bank-clerk.ts ORDERS '{"bootstrap.servers":"…","transactional.id":"…"}'
 *
 * Bookings go to the topic `accounts`, an account a partition.
 */
import { writeSync } from 'node:fs';
import { createConsumer, createProducer, TransactionError, type ConsumerRecord } from '../../client/index.ts';
import type { Booking, Order } from './bank.ts';

const [topic, given] = process.argv.slice(2);
const settings = JSON.parse(given!) as Record<string, string>;
const common = {
  'bootstrap.servers': settings['bootstrap.servers'],
  'request.timeout.ms': '4000',
  'samsa.dialect': settings['samsa.dialect'],
};
const consumer = createConsumer({
  ...common,
  'group.id': 'clerks',
  'isolation.level': 'read_committed',
  'auto.offset.reset': 'earliest',
  'enable.auto.commit': 'false',
  'session.timeout.ms': '3000',
  'heartbeat.interval.ms': '500',
  'max.poll.records': '20',
});
const producer = createProducer({
  ...common,
  'transactional.id': settings['transactional.id'],
  'transaction.timeout.ms': settings['transaction.timeout.ms'],
});
let count = 0;
let isRunning = true;
process.once('SIGTERM', () => {
  isRunning = false;
  consumer.wakeup();
});
consumer.subscribe([topic!]);

const tell = (message: string) => writeSync(1, `${JSON.stringify({ event: 'trouble', message })}\n`);

async function book(records: readonly ConsumerRecord[]): Promise<void> {
  const transaction = `${settings['transactional.id']} ${process.pid} ${count++}`;
  const offsets = new Map(records.map(({ partition, offset }) => [partition, offset + 1]));
  await producer.transaction(async tx => {
    for (const { value } of records) {
      const { id, from, to, amount } = JSON.parse(String(value)) as Order;
      const send = (account: number, delta: number) => {
        const booking: Booking = { id, delta, transaction, of: 2 * records.length };
        void tx.send({ topic: 'accounts', partition: account, value: JSON.stringify(booking) });
      };
      send(from, -amount);
      send(to, amount);
    }
    await tx.sendOffsets(
      Array.from(offsets, ([partition, offset]) => ({ topic: topic!, partition, offset })),
      consumer.groupMetadata(),
    );
  });
}

/** What was read and not booked is read again. */
async function goBack(): Promise<void> {
  const partitions = consumer.assignment();
  const committed = await consumer.committed(partitions);
  const begins = await consumer.beginningOffsets(partitions);
  partitions.forEach((each, i) => consumer.seek(each.topic, each.partition, committed[i]?.offset ?? begins[i]!));
}

let mustGoBack = false;
while (isRunning) {
  try {
    if (mustGoBack) await goBack();
    mustGoBack = false;
    const records = await consumer.poll(200);
    if (records.length === 0) continue;
    mustGoBack = true;
    await book(records);
    mustGoBack = false;
  } catch (error) {
    tell((error as Error).message);
    if (error instanceof TransactionError && error.isFatal) process.exit(1);
  }
}
await Promise.all([consumer.close(), producer.close()]);
