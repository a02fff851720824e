import { cpus } from 'node:os';
import { aligned } from '../harness/report.ts';
import { median } from '../harness/statistics.ts';
import type { Pair } from './in-pairs.ts';
import type { Load, Turn } from './load.ts';
import { ratioCell, TARGETS, valuesCell, type Pairs, type Target } from './ratio.ts';
import { NAMES, type Name } from './side.ts';

export interface LoadResult {
  readonly load: Pick<Load, 'name' | 'client' | 'brokers' | 'kind'>;
  readonly pairs: readonly Pair[];
}

/** A number of the brokers themselves, under no load or after it. */
export interface BrokerResult {
  readonly name: string;
  readonly unit: string;
  readonly pairs: Pairs;
  readonly target?: Target;
}

const each = (pairs: readonly Pair[], number: (turn: Turn) => number): Pairs =>
  pairs.map(({ Samsa, Kafka }) => ({ Samsa: number(Samsa), Kafka: number(Kafka) }));

/** All that was measured, as Markdown. */
export function tables(loads: readonly LoadResult[], brokers: readonly BrokerResult[]): string {
  const throughput = loads.filter(({ load }) => load.kind === 'throughput');
  const operations = loads.filter(({ load }) => load.kind === 'operations');
  const latency = loads.filter(({ load }) => load.kind === 'latency');
  const parts = [
    throughput.length > 0 && throughputTable(throughput),
    operations.length > 0 && operationsTable(operations),
    latency.length > 0 && latencyTable(latency),
    brokers.length > 0 && brokerTable(brokers),
  ];
  return parts.filter(part => part !== false).join('\n\n');
}

function throughputTable(results: readonly LoadResult[]): string {
  const head = ['load', 'client', 'CPU, s/GB', 'ratio, ≤ 1', 'MB/s', 'ratio, ≥ 1', 'limit'];
  return aligned(
    head,
    results.map(({ load, pairs }) => {
      const cpu = each(pairs, turn => turn.brokerCpu / (turn.bytes / 1e9));
      const rate = each(pairs, turn => turn.bytes / 1e6 / turn.seconds);
      const measured = [
        valuesCell(cpu),
        ratioCell(cpu, TARGETS.cpu),
        valuesCell(rate),
        ratioCell(rate, TARGETS.throughput),
      ];
      return [
        load.name,
        load.client,
        ...measured,
        NAMES.map(name => limitOf(pairs.map(pair => pair[name]))).join(' / '),
      ];
    }),
  );
}

/** Part of all processors' time from which on the machine counts as fully used. */
const FULL = 0.85;

/** Who used most of the processors' time when they were fully used, and the cores that the client took. */
function limitOf(turns: readonly Turn[]): string {
  const client = median(turns.map(turn => turn.clientCpu / turn.elapsed));
  const broker = median(turns.map(turn => turn.brokerCpu / turn.elapsed));
  const isFull = client + broker >= FULL * cpus().length;
  const who = isFull ? (client > broker ? 'client' : 'broker') : 'none';
  return `${who} ${client.toFixed(1)} + ${broker.toFixed(1)}`;
}

/** A load that does one thing at a time, and one that does many side by side, both by the time that one of them takes of the whole. */
function operationsTable(results: readonly LoadResult[]): string {
  return aligned(
    ['load', 'client', 'ms each', 'ratio, ≤ 1', 'CPU, ms each', 'ratio, ≤ 1', 'limit'],
    results.map(({ load, pairs }) => {
      const time = each(pairs, turn => (turn.seconds / turn.operations!) * 1000);
      const cpu = each(pairs, turn => (turn.brokerCpu / turn.operations!) * 1000);
      const limits = NAMES.map(name => limitOf(pairs.map(pair => pair[name])));
      return [
        load.name,
        load.client,
        valuesCell(time),
        ratioCell(time, TARGETS.time),
        valuesCell(cpu),
        ratioCell(cpu, TARGETS.cpu),
        limits.join(' / '),
      ];
    }),
  );
}

function latencyTable(results: readonly LoadResult[]): string {
  const numbers = ['acknowledged p50, ms', 'p99, ms', 'ratio, ≤ 1', 'read p50, ms', 'p99, ms', 'ratio, ≤ 1'];
  return aligned(
    ['load', ...numbers, 'CPU, s per 10,000 records', 'ratio, ≤ 1'],
    results.map(({ load, pairs }) => {
      const ackP99 = each(pairs, turn => turn.latencies!.ackP99);
      const readP99 = each(pairs, turn => turn.latencies!.readP99);
      const cpu = each(pairs, turn => (turn.brokerCpu / turn.latencies!.records) * 10_000);
      return [
        load.name,
        valuesCell(each(pairs, turn => turn.latencies!.ackP50)),
        valuesCell(ackP99),
        ratioCell(ackP99, TARGETS.p99),
        valuesCell(each(pairs, turn => turn.latencies!.readP50)),
        valuesCell(readP99),
        ratioCell(readP99, TARGETS.p99),
        valuesCell(cpu),
        ratioCell(cpu, TARGETS.cpu),
      ];
    }),
  );
}

function brokerTable(results: readonly BrokerResult[]): string {
  return aligned(
    ['broker', 'Samsa / Kafka', 'ratio', 'target'],
    results.map(({ name, unit, pairs, target }) => [
      name,
      `${valuesCell(pairs)} ${unit}`,
      ratioCell(pairs, target),
      target === undefined ? '' : `≤ ${target.limit}`,
    ]),
  );
}

/** The memory of a cluster's brokers after each turn of the loads. */
export function residentAfterLoads(brokers: 1 | 3, results: readonly LoadResult[]): BrokerResult {
  const pairs = results.flatMap(result => each(result.pairs, turn => turn.residentMiB));
  return { name: `resident after loads, ${nameOf(brokers)}`, unit: 'MiB', pairs, target: TARGETS.memory };
}

/** The most memory that one of a cluster's brokers has ever had. */
export function peakMemory(brokers: 1 | 3, peak: Readonly<Record<Name, number>>): BrokerResult {
  return { name: `resident at most, ${nameOf(brokers)}`, unit: 'MiB', pairs: [peak], target: TARGETS.memory };
}

function nameOf(brokers: 1 | 3): string {
  return brokers === 1 ? 'one broker' : 'the largest of three';
}
