import { join } from 'node:path';
import type { Address, Connection } from '../../shared/connection/connection.ts';
import type { Cluster } from '../../test/support/cluster.ts';
import { BareProcess } from '../bare/bare-process.ts';
import { batchOfSize, type SampleBatch } from '../harness/batches.ts';
import { connectTo, DIALECTS, fetchRecords, produce, type Dialect } from '../harness/dialect.ts';
import { underLoad, type LoadResult } from '../harness/load.ts';
import type { Row } from '../harness/row.ts';
import type { BenchOptions, Scenario } from '../harness/scenario.ts';
import { median } from '../harness/statistics.ts';
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
const TOPIC = 'load';

interface Load {
  readonly label: string;
  readonly dialect: Dialect;
  readonly batch: SampleBatch;
  readonly inFlight: number;
}

/** Gives the call that is repeated. */
type Action = (connections: readonly Connection[], load: Load) => () => Promise<number>;

const producing: Action =
  ([connection], { batch }) =>
  async () => {
    await produce(connection!, TOPIC, 0, batch.bytes, 1);
    return batch.bytes.length;
  };

const fetching: Action = (connections, { batch }) => {
  const count = Math.floor(FETCHED_BYTES / batch.bytes.length);
  const idle = [...connections];
  let next = 0;
  return async () => {
    const connection = idle.pop()!;
    const offset = (next++ % count) * batch.recordCount;
    const records = await fetchRecords(connection, TOPIC, 0, offset, batch.bytes.length);
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
          const load = { label, dialect, inFlight, batch: batchOfSize(batchBytes) };
          const name = `${isFilled ? 'fetch' : 'produce'} ${label} ${dialect}`;
          for (const row of compare(name, await pairs(cluster, action, load, isFilled, options))) report(row);
        }
      }
    });
}

/** Samsa and the bare program in turns; both processes live through all rounds, as servers do. */
async function pairs(
  cluster: Cluster,
  action: Action,
  load: Load,
  isFilled: boolean,
  options: BenchOptions,
): Promise<(readonly [samsa: LoadResult, bare: LoadResult])[]> {
  const broker = cluster.brokers[0]!;
  const file = join(cluster.directory, 'bare.log');
  const bare = await BareProcess.start(load.dialect, { file, topic: TOPIC, batchBytes: load.batch.bytes.length });
  const measure = async (address: Address, pid: number) => {
    const count = isFilled ? CONSUMERS : 1;
    const connections = await Promise.all(Array.from({ length: count }, () => connectTo(load.dialect, address)));
    const inFlight = isFilled ? CONSUMERS : load.inFlight;
    try {
      if (isFilled) await fill(connections[0]!, load);
      return await underLoad({ call: action(connections, load), inFlight, pids: [pid], ...options });
    } finally {
      for (const connection of connections) connection.close();
    }
  };
  const results: (readonly [LoadResult, LoadResult])[] = [];
  try {
    for (let round = 0; round < options.rounds; round++) {
      bare.reset();
      const bareResult = await measure(bare.address, bare.pid);
      await createTopic(cluster, TOPIC, 1, 1);
      results.push([await measure(addressOf(broker), broker.pid), bareResult]);
      await deleteTopic(cluster, TOPIC);
    }
    return results;
  } finally {
    await bare.stop();
  }
}

async function fill(connection: Connection, { batch }: Load): Promise<void> {
  const count = Math.floor(FETCHED_BYTES / batch.bytes.length);
  for (let i = 0; i < count; i++) await produce(connection, TOPIC, 0, batch.bytes, 1);
}

/** Throughput and CPU of pairs [Samsa, bare]. */
function compare(name: string, pairs: readonly (readonly [LoadResult, LoadResult])[]): Row[] {
  const row = (what: string, unit: string, of: (result: LoadResult) => number, target: Row['target']): Row => ({
    name: `${name}, ${what}`,
    value: median(pairs.map(([samsa]) => of(samsa))),
    unit,
    reference: { what: 'bare', value: median(pairs.map(([, bare]) => of(bare))) },
    ratio: median(pairs.map(([samsa, bare]) => of(samsa) / of(bare))),
    ...(target === undefined ? {} : { target }),
  });
  return [
    row('throughput', 'MB/s', result => result.megabytesPerSecond, { limit: 0.8, is: 'min', of: 'ratio' }),
    row('CPU', 's/GB', result => result.cpuPerGigabyte, { limit: 1.25, is: 'max', of: 'ratio' }),
    {
      name: `${name}, peak memory`,
      value: Math.max(...pairs.map(([samsa]) => samsa.peakMiB)),
      unit: 'MiB',
      reference: { what: 'bare', value: Math.max(...pairs.map(([, bare]) => bare.peakMiB)) },
      target: { limit: 256, is: 'max', of: 'value' },
    },
  ];
}
