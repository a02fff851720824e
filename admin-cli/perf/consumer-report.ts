const MIB = 1 << 20;

/** What had been read at some time. */
export interface Reading {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly bytes: number;
  readonly messages: number;
}

const SHARED = 'data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec';
const FETCHING = 'rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec';

/** The first line of kafka-consumer-perf-test's output. */
export function header(isDetailed: boolean): string {
  return `${isDetailed ? 'time, threadId' : 'start.time, end.time'}, ${SHARED}, ${FETCHING}`;
}

/**
 * A line of its output: what has been read in all, and how fast between two readings. Without a group nothing is
 * rebalanced, and all the time is spent fetching.
 */
export function reportLine(prefix: string, from: Reading, to: Reading): string {
  const elapsedMs = Math.max(to.timeMs - from.timeMs, 1);
  const mibRate = (((to.bytes - from.bytes) / MIB) * 1000) / elapsedMs;
  const messageRate = ((to.messages - from.messages) * 1000) / elapsedMs;
  const shared = [fixed(to.bytes / MIB), fixed(mibRate), String(to.messages), fixed(messageRate)];
  return [prefix, ...shared, '0', String(to.timeMs - from.timeMs), fixed(mibRate), fixed(messageRate)].join(', ');
}

function fixed(value: number): string {
  return value.toFixed(4);
}
