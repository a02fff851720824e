import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Address, Connection } from '../../shared/connection/connection.ts';
import type { Cluster } from '../../test/support/cluster.ts';
import { BareProcess } from '../bare/bare-process.ts';
import { batchOfSize, type SampleBatch } from '../harness/batches.ts';
import { connectTo, DIALECTS, fetchRecords, produce, type Dialect } from '../harness/dialect.ts';
import { inTurns, ratioOf, valueOf, type Contestant } from '../harness/in-turns.ts';
import { underLoad, type LoadResult } from '../harness/load.ts';
import type { Row, Target } from '../harness/row.ts';
import type { BenchOptions, Scenario } from '../harness/scenario.ts';
import { addressOf, createTopic, deleteTopic, withCluster } from '../harness/test-cluster.ts';

/** Batch sizes, with the requests under way that keep a broker busy. */
const LOADS = [
  { label: '64 KiB', batchBytes: 64 << 10, inFlight: 16 },
  { label: '1 MiB', batchBytes: 1 << 20, inFlight: 4 },
];
/** Consumers of a fetch run: each has, as consumers do, one fetch under way. */
const CONSUMERS = 4;
/** What a fetch run reads again and again: more than any cache of the broker's, less than the page cache. */
const FETCHED_BYTES = 256 << 20;

interface Load {
  readonly topic: string;
  readonly label: string;
  readonly dialect: Dialect;
  readonly batch: SampleBatch;
  readonly inFlight: number;
}

/** Gives the call that is repeated. */
type Action = (connections: readonly Connection[], load: Load) => () => Promise<number>;

const producing: Action =
  ([connection], { topic, batch }) =>
  async () => {
    await produce(connection!, topic, 0, batch.bytes, 1);
    return batch.bytes.length;
  };

const fetching: Action = (connections, { topic, batch }) => {
  const count = Math.floor(FETCHED_BYTES / batch.bytes.length);
  const idle = [...connections];
  let next = 0;
  return async () => {
    const connection = idle.pop()!;
    const offset = (next++ % count) * batch.recordCount;
    const records = await fetchRecords(connection, topic, 0, offset, batch.bytes.length);
    idle.push(connection);
    if (records.length !== batch.bytes.length) throw new Error(`a fetch brought ${records.length} bytes`);
    return records.length;
  };
};

export const throughput: Scenario[] = [
  {
    name: 'produce',
    what: 'produce of large batches, acks=1, against the bare program',
    run: against(producing, false),
  },
  { name: 'fetch', what: 'fetch of large batches against the bare program', run: against(fetching, true) },
];

function against(action: Action, isFilled: boolean): Scenario['run'] {
  return (options, report) =>
    withCluster(1, async cluster => {
      for (const dialect of DIALECTS) {
        for (const { label, batchBytes, inFlight } of LOADS) {
          const load = { topic: `${dialect}-${batchBytes}`, label, dialect, inFlight, batch: batchOfSize(batchBytes) };
          const name = `${isFilled ? 'fetch' : 'produce'} ${label} ${dialect}`;
          for (const row of compare(name, await measure(cluster, action, load, isFilled, options))) report(row);
        }
      }
    });
}

/** Samsa (0) and the bare program (1) in turns; both processes live through all rounds, as servers do. */
async function measure(
  cluster: Cluster,
  action: Action,
  load: Load,
  isFilled: boolean,
  { rounds, durationMs }: BenchOptions,
): Promise<LoadResult[][]> {
  const broker = cluster.brokers[0]!;
  const file = join(cluster.directory, 'bare.log');
  const bare = await BareProcess.start(load.dialect, { file, topic: load.topic, batchBytes: load.batch.bytes.length });
  const count = isFilled ? CONSUMERS : 1;
  const inFlight = isFilled ? CONSUMERS : load.inFlight;
  const turn = async (address: Address, pid: number, warmUpMs: number) => {
    const connections = await Promise.all(Array.from({ length: count }, () => connectTo(load.dialect, address)));
    try {
      return await underLoad({ call: action(connections, load), inFlight, pids: [pid], warmUpMs, durationMs });
    } finally {
      for (const connection of connections) connection.close();
    }
  };
  const contestants: Contestant[] = [
    async warmUpMs => {
      if (!isFilled) await createTopic(cluster, load.topic, 1, 1);
      const result = await turn(addressOf(broker), broker.pid, warmUpMs);
      if (!isFilled) await deleteTopic(cluster, load.topic);
      return result;
    },
    warmUpMs => {
      if (!isFilled) bare.reset();
      return turn(bare.address, bare.pid, warmUpMs);
    },
  ];
  if (isFilled) {
    await createTopic(cluster, load.topic, 1, 1);
    for (const address of [addressOf(broker), bare.address]) await fill(address, load);
  }
  try {
    return await inTurns(contestants, rounds);
  } finally {
    await bare.stop();
    rmSync(file);
  }
}

async function fill(address: Address, { dialect, topic, batch }: Load): Promise<void> {
  const connection = await connectTo(dialect, address);
  const count = Math.floor(FETCHED_BYTES / batch.bytes.length);
  for (let i = 0; i < count; i++) await produce(connection, topic, 0, batch.bytes, 1);
  connection.close();
}

/** Throughput, CPU and memory. */
function compare(name: string, rounds: readonly LoadResult[][]): Row[] {
  const row = (what: string, unit: string, number: keyof LoadResult, target: Target): Row => ({
    name: `${name}, ${what}`,
    value: valueOf(rounds, 0, number),
    unit,
    reference: { what: 'bare', value: valueOf(rounds, 1, number) },
    ratio: ratioOf(rounds, 0, 1, number),
    target,
  });
  const { ratio: _, ...memory } = row('peak memory', 'MiB', 'peakMiB', { limit: 256, is: 'max', of: 'value' });
  return [
    row('throughput', 'MB/s', 'megabytesPerSecond', { limit: 0.8, is: 'min', of: 'ratio' }),
    row('CPU', 's/GB', 'cpuPerGigabyte', { limit: 1.25, is: 'max', of: 'ratio' }),
    memory,
  ];
}
