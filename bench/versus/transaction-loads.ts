import { javaProduce, kcatConsume } from './clients.ts';
import type { Load } from './load.ts';
import type { Side } from './side.ts';

/** Back to back; at volume 1. */
const TRANSACTIONS = 200;
/** At a fixed rate that is far from any limit. */
const RATE = { perSecond: 20, transactions: 120, discarded: 20 };
const PRODUCE = { records: 200_000, recordBytes: 1024, transactionMs: 100, samples: 1_000 };
/** Transactions of 64 KiB that overlap, 128 MiB of them at volume 1, read some times. */
const FILL = { producers: 16, transactions: 128, records: 64, recordBytes: 1024, passes: 5 };

const place = (brokers: number) => (brokers === 1 ? '1 broker' : `${brokers} brokers`);

let ids = 0;
/** A name that no producer has had, on either side. */
const newId = () => `transactions-${ids++}`;

/** Transactions of one producer, each begun when the former one is committed. */
function backToBack(brokers: 1 | 3, records: number, partitions: number, isQuick = false): Load {
  const what = records === 1 ? '1 record' : `${records} records`;
  return {
    name: `transactions of ${what}${partitions > 1 ? ` in ${partitions} partitions` : ''}, ${place(brokers)}`,
    client: 'Java',
    brokers,
    isQuick,
    kind: 'operations',
    partitions,
    run: async ({ bootstrap }, topic, { transactions: java, volume }) => {
      const operations = Math.round(TRANSACTIONS * volume);
      const [nanos] = await java.ask('rate', bootstrap, topic, newId(), records, partitions, operations);
      return { bytes: 0, operations, seconds: Number(nanos) / 1e9 };
    },
  };
}

/** `acknowledged` is until the transaction is committed, `read` until a reader of committed records has its record. */
function atFixedRate(brokers: 1 | 3, isQuick = false): Load {
  const { perSecond, transactions, discarded } = RATE;
  return {
    name: `${perSecond} transactions/s of 1 record, ${place(brokers)}`,
    client: 'Java',
    brokers,
    isQuick,
    kind: 'latency',
    partitions: 1,
    run: async ({ bootstrap }, topic, { transactions: java }) => {
      const answer = await java.ask('latency', bootstrap, topic, newId(), perSecond, transactions, discarded);
      const [ackP50, ackP99, readP50, readP99] = answer.map(micros => Number(micros) / 1000);
      const latencies = { ackP50: ackP50!, ackP99: ackP99!, readP50: readP50!, readP99: readP99! };
      return { bytes: 0, seconds: transactions / perSecond, latencies: { records: transactions, ...latencies } };
    },
  };
}

function producing(brokers: 1 | 3, isQuick = false): Load {
  const { recordBytes, transactionMs, samples } = PRODUCE;
  return {
    name: `produce in transactions of ${transactionMs} ms, ${place(brokers)}, 1 KiB, none`,
    client: 'producer-perf-test',
    brokers,
    isQuick,
    kind: 'throughput',
    run: async ({ bootstrap }, topic, { volume, linesOf }) => {
      const records = Math.round(PRODUCE.records * volume);
      const what = { bootstrap, topic, acks: 'all', codec: 'none', recordBytes, records } as const;
      const transaction = { id: newId(), durationMs: transactionMs };
      return {
        bytes: records * recordBytes,
        seconds: await javaProduce(what, linesOf(recordBytes, samples), transaction),
      };
    },
  };
}

/** Reads what is committed (librdkafka's default) of a log of small transactions. */
function catchingUp(brokers: 1 | 3, abortsEvery: number, isQuick = false): Load {
  const { producers, transactions, records, recordBytes, passes } = FILL;
  const committed = new Map<Side, number>();
  return {
    name: `catch up on transactions, ${place(brokers)}, 1 KiB, ${abortsEvery === 0 ? 'none' : 'a tenth'} aborted`,
    client: 'kcat',
    brokers,
    isQuick,
    kind: 'throughput',
    partitions: 1,
    fill: async (side, topic, { transactions: java, volume }) => {
      const each = Math.round(transactions * volume);
      const shape = [producers, each, records, recordBytes, abortsEvery];
      const [count] = await java.ask('fill', side.bootstrap, topic, newId(), ...shape);
      committed.set(side, Number(count));
    },
    run: async (side, topic) => {
      const count = committed.get(side)!;
      let seconds = 0;
      for (let pass = 0; pass < passes; pass++) seconds += await kcatConsume(side.bootstrap, topic, count);
      return { bytes: passes * count * recordBytes, seconds };
    },
  };
}

export const TRANSACTION_LOADS: readonly Load[] = [
  backToBack(1, 1, 1, true),
  backToBack(1, 100, 1),
  backToBack(1, 100, 3),
  atFixedRate(1, true),
  producing(1, true),
  catchingUp(1, 0, true),
  catchingUp(1, 10),
  backToBack(3, 1, 1, true),
  backToBack(3, 100, 3),
  atFixedRate(3),
  producing(3, true),
  catchingUp(3, 10),
];
