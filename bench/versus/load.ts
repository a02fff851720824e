import { cpuSeconds, endedChildrenCpuSeconds, residentMiB } from '../harness/process-usage.ts';
import { sleep } from '../harness/load.ts';
import type { Latencies } from './fixed-rate.ts';
import type { JavaPeer } from './java-peer.ts';
import type { Side } from './side.ts';

/** What all turns of a run share. */
export interface Workshop {
  /** FixedRate.java. */
  readonly fixedRate: JavaPeer;
  /** Groups.java. */
  readonly groups: JavaPeer;
  /** Transactions.java. */
  readonly transactions: JavaPeer;
  /** What the loads' numbers of records are multiplied by. */
  readonly volume: number;
  /** A file of `records` lines, `recordBytes` bytes each without the line's end; made once, and kept for the run. */
  readonly linesOf: (recordBytes: number, records: number) => string;
}

/** What a turn did, as its client tells. */
export interface Work {
  /** Bytes of records' values that the brokers have taken or given out. */
  readonly bytes: number;
  readonly seconds: number;
  /** Rebalances, commits, transactions: what was done in that time where it is not bytes that count. */
  readonly operations?: number;
  readonly latencies?: Latencies;
}

/** What a turn did and what it took. */
export interface Turn extends Work {
  /** CPU seconds of all brokers of the side. */
  readonly brokerCpu: number;
  readonly clientCpu: number;
  /** Seconds that the CPU seconds are of: the client's start and the brokers' last work are among them. */
  readonly elapsed: number;
  /** Resident memory of the largest broker after the turn. */
  readonly residentMiB: number;
}

/** One line of a table. */
export interface Load {
  readonly name: string;
  readonly client: string;
  readonly brokers: 1 | 3;
  readonly isQuick: boolean;
  readonly kind: 'throughput' | 'operations' | 'latency';
  /** Of its topics, where three are not what it needs. */
  readonly partitions?: number;
  /** Fills a topic that all turns of a side use; without it each turn has one of its own. */
  readonly fill?: (side: Side, topic: string, workshop: Workshop) => Promise<void>;
  readonly run: (side: Side, topic: string, workshop: Workshop) => Promise<Work>;
}

/** Followers and the kernel may have work left when the client has gone; it belongs to the turn. */
const SETTLE_MS = 300;

/** Runs `work` and counts what brokers and client use meanwhile. */
export async function measured(
  side: Side,
  { fixedRate, groups, transactions }: Workshop,
  work: () => Promise<Work>,
): Promise<Turn> {
  const { pids } = side;
  const brokersCpu = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const peers = [fixedRate, groups, transactions];
  const clientsCpu = () => peers.reduce((sum, { pid }) => sum + cpuSeconds(pid), endedChildrenCpuSeconds());
  const start = { brokers: brokersCpu(), clients: clientsCpu(), at: performance.now() };
  const done = await work();
  await sleep(SETTLE_MS);
  return {
    ...done,
    brokerCpu: brokersCpu() - start.brokers,
    clientCpu: clientsCpu() - start.clients,
    elapsed: (performance.now() - start.at) / 1000,
    residentMiB: Math.max(...pids.map(pid => residentMiB(pid).now)),
  };
}
