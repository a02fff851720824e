import { KcatTail, javaProduce, kcatConsume, kcatProduce, type Production } from './clients.ts';
import { atFixedRate as turnAtFixedRate } from './fixed-rate.ts';
import { GROUP_LOADS } from './group-loads.ts';
import type { Load, Workshop } from './load.ts';
import { PARTITIONS, type Side } from './side.ts';
import { TRANSACTION_LOADS } from './transaction-loads.ts';

type Shape = Pick<Production, 'acks' | 'codec' | 'recordBytes'>;

/** Records of a turn at volume 1: some two seconds' worth, and enough CPU time for a clock of 10 ms. */
const JAVA_RECORDS = { 100: 800_000, 1024: 200_000 } as const;
const KCAT_RECORDS = { 100: 3_000_000, 1024: 400_000 } as const;
const CATCH_UP_RECORDS = { 100: 1_000_000, 1024: 300_000 } as const;
/** How often a turn of catching up reads them. */
const PASSES = 3;
const TAIL_RECORDS = { 100: 500_000, 1024: 100_000 } as const;

/** Lines that the Java producer draws its records from. */
const SAMPLES = 1_000;

type RecordBytes = keyof typeof JAVA_RECORDS;

const sizeName = (recordBytes: number) => (recordBytes === 1024 ? '1 KiB' : `${recordBytes} B`);
const place = (brokers: number) => (brokers === 1 ? '1 broker' : `${brokers} brokers`);

const scaled = (records: number, { volume }: Workshop) => Math.round(records * volume);

function production(side: Side, topic: string, shape: Shape, records: number): Production {
  return { ...shape, bootstrap: side.bootstrap, topic, records };
}

function producing(
  client: 'java' | 'kcat',
  brokers: 1 | 3,
  acks: Production['acks'],
  recordBytes: RecordBytes,
  codec: Production['codec'],
  isQuick = false,
): Load {
  return {
    name: `produce, ${place(brokers)}, acks=${acks}, ${sizeName(recordBytes)}, ${codec}`,
    client: client === 'java' ? 'producer-perf-test' : 'kcat',
    brokers,
    isQuick,
    kind: 'throughput',
    run: async (side, topic, workshop) => {
      const records = scaled((client === 'java' ? JAVA_RECORDS : KCAT_RECORDS)[recordBytes], workshop);
      const what = production(side, topic, { acks, codec, recordBytes }, records);
      const seconds =
        client === 'java'
          ? await javaProduce(what, workshop.linesOf(recordBytes, SAMPLES))
          : await kcatProduce(what, workshop.linesOf(recordBytes, records));
      return { bytes: records * recordBytes, seconds };
    },
  };
}

/** Reads from the beginning what the Java producer wrote, as its batches are: librdkafka sends lz4 only where groups are served. */
function catchingUp(brokers: 1 | 3, recordBytes: RecordBytes, codec: Production['codec'], isQuick = false): Load {
  return {
    name: `catch up, ${place(brokers)}, ${sizeName(recordBytes)}, ${codec}`,
    client: 'kcat',
    brokers,
    isQuick,
    kind: 'throughput',
    fill: async (side, topic, workshop) => {
      const records = scaled(CATCH_UP_RECORDS[recordBytes], workshop);
      const what = production(side, topic, { acks: 'all', codec, recordBytes }, records);
      await javaProduce(what, workshop.linesOf(recordBytes, SAMPLES));
    },
    run: async (side, topic, workshop) => {
      const records = scaled(CATCH_UP_RECORDS[recordBytes], workshop);
      let seconds = 0;
      for (let pass = 0; pass < PASSES; pass++) seconds += await kcatConsume(side.bootstrap, topic, records);
      return { bytes: PASSES * records * recordBytes, seconds };
    },
  };
}

/** A consumer at the end of the log while the Java producer writes as fast as it can. */
function tailing(brokers: 1 | 3, recordBytes: RecordBytes, codec: Production['codec'], isQuick = false): Load {
  return {
    name: `produce and tail, ${place(brokers)}, acks=1, ${sizeName(recordBytes)}, ${codec}`,
    client: 'producer-perf-test, kcat',
    brokers,
    isQuick,
    kind: 'throughput',
    run: async (side, topic, workshop) => {
      const records = scaled(TAIL_RECORDS[recordBytes], workshop);
      const tail = await KcatTail.start(side.bootstrap, topic, PARTITIONS, records);
      try {
        const what = production(side, topic, { acks: '1', codec, recordBytes }, records);
        const [seconds] = await Promise.all([javaProduce(what, workshop.linesOf(recordBytes, SAMPLES)), tail.finished]);
        return { bytes: records * recordBytes, seconds };
      } finally {
        tail.kill();
      }
    },
  };
}

const RATE = { recordsPerSecond: 2_000, records: 6_000, discarded: 1_000 };

function atFixedRate(brokers: 1 | 3, acks: Production['acks'], recordBytes: RecordBytes, isQuick = false): Load {
  return {
    name: `${RATE.recordsPerSecond} records/s, ${place(brokers)}, acks=${acks}, ${sizeName(recordBytes)}`,
    client: 'Java',
    brokers,
    isQuick,
    kind: 'latency',
    run: async (side, topic, { fixedRate }) => ({
      bytes: RATE.records * recordBytes,
      seconds: RATE.records / RATE.recordsPerSecond,
      latencies: await turnAtFixedRate(fixedRate, { ...RATE, bootstrap: side.bootstrap, topic, acks, recordBytes }),
    }),
  };
}

/** Batches of a few records, so that as many requests pass as a compiler needs to see. */
const WARM_UP = { records: 60_000, recordBytes: 1024, batchBytes: 4_096, acks: '1', codec: 'none' } as const;

/** What each cluster serves before anything is measured: thousands of small produces, and what they wrote. */
export async function warmUp(side: Side, { linesOf }: Workshop): Promise<void> {
  const { records, recordBytes, batchBytes } = WARM_UP;
  const topic = await side.createTopic();
  await kcatProduce(production(side, topic, WARM_UP, records), linesOf(recordBytes, records), batchBytes);
  await kcatConsume(side.bootstrap, topic, records);
  await side.deleteTopic(topic);
}

export const LOADS: readonly Load[] = [
  producing('java', 1, '1', 100, 'none', true),
  producing('java', 1, '1', 1024, 'none', true),
  producing('java', 1, '1', 100, 'lz4'),
  producing('java', 1, '1', 1024, 'lz4', true),
  producing('java', 1, 'all', 1024, 'none'),
  producing('kcat', 1, '1', 100, 'none'),
  producing('kcat', 1, '1', 1024, 'none', true),
  catchingUp(1, 100, 'none'),
  catchingUp(1, 1024, 'none', true),
  catchingUp(1, 100, 'lz4'),
  catchingUp(1, 1024, 'lz4'),
  tailing(1, 100, 'none'),
  tailing(1, 1024, 'none', true),
  tailing(1, 1024, 'lz4'),
  atFixedRate(1, '1', 100, true),
  atFixedRate(1, '1', 1024),
  atFixedRate(1, 'all', 100),
  producing('java', 3, '1', 100, 'none'),
  producing('java', 3, '1', 1024, 'none'),
  producing('java', 3, 'all', 100, 'none'),
  producing('java', 3, 'all', 1024, 'none', true),
  producing('java', 3, 'all', 100, 'lz4'),
  producing('java', 3, 'all', 1024, 'lz4'),
  producing('kcat', 3, 'all', 100, 'none'),
  producing('kcat', 3, 'all', 1024, 'none'),
  catchingUp(3, 1024, 'none'),
  catchingUp(3, 100, 'lz4'),
  tailing(3, 1024, 'none'),
  tailing(3, 100, 'lz4'),
  atFixedRate(3, '1', 100),
  atFixedRate(3, 'all', 100, true),
  atFixedRate(3, 'all', 1024),
  ...GROUP_LOADS,
  ...TRANSACTION_LOADS,
];
