const MIB = 1 << 20;

/** What had been read at some time. */
export interface Reading {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly bytes: number;
  readonly messages: number;
  /** How long the group has been sharing partitions out by then. */
  readonly rebalanceMs: number;
}

const SHARED = 'data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec';
const FETCHING = 'rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec';

/** The first line of kafka-consumer-perf-test's output. */
export function header(isDetailed: boolean): string {
  return `${isDetailed ? 'time, threadId' : 'start.time, end.time'}, ${SHARED}, ${FETCHING}`;
}

/**
 * A line of its output: what has been read in all, and how fast between two readings, with and without the time in which
 * the group shared partitions out.
 */
export function reportLine(prefix: string, from: Reading, to: Reading): string {
  const mib = (to.bytes - from.bytes) / MIB;
  const messages = to.messages - from.messages;
  const elapsedMs = to.timeMs - from.timeMs;
  const rebalanceMs = to.rebalanceMs - from.rebalanceMs;
  const fetchMs = elapsedMs - rebalanceMs;
  const shared = [
    fixed(to.bytes / MIB),
    perSecond(mib, elapsedMs),
    String(to.messages),
    perSecond(messages, elapsedMs),
  ];
  return [prefix, ...shared, rebalanceMs, fetchMs, perSecond(mib, fetchMs), perSecond(messages, fetchMs)].join(', ');
}

function perSecond(count: number, ms: number): string {
  return fixed((count * 1000) / Math.max(ms, 1));
}

function fixed(value: number): string {
  return value.toFixed(4);
}
