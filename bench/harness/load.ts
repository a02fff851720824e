import { cpuSeconds, residentMiB } from './process-usage.ts';

export interface LoadOptions {
  /** Makes one call; resolves with the bytes of records that it moved. */
  readonly call: () => Promise<number>;
  /** Calls under way at a time. */
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Processes whose CPU time is counted. */
  readonly pids: readonly number[];
}

export interface LoadResult {
  readonly megabytesPerSecond: number;
  /** CPU seconds of all `pids` per GB moved. */
  readonly cpuPerGigabyte: number;
  readonly callsPerSecond: number;
  /** Largest resident memory of one of the processes so far, in MiB. */
  readonly peakMiB: number;
}

/** Keeps `inFlight` calls going, and measures between the warm-up and the end. A failed call fails the run. */
export async function underLoad({ call, inFlight, warmUpMs, durationMs, pids }: LoadOptions): Promise<LoadResult> {
  let bytes = 0;
  let calls = 0;
  let isOver = false;
  const lane = async () => {
    while (!isOver) {
      // Not `bytes += await …`: that would add to what `bytes` was before the wait.
      const moved = await call();
      bytes += moved;
      calls++;
    }
  };
  const lanes = Promise.all(Array.from({ length: inFlight }, lane));
  const cpu = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const sample = () => ({ bytes, calls, cpu: cpu(), at: performance.now() });
  // A lane that failed ends the wait at once.
  await Promise.race([sleep(warmUpMs), lanes]);
  const start = sample();
  await Promise.race([sleep(durationMs), lanes]);
  const end = sample();
  isOver = true;
  await lanes;
  const seconds = (end.at - start.at) / 1000;
  const moved = end.bytes - start.bytes;
  return {
    megabytesPerSecond: moved / 1e6 / seconds,
    cpuPerGigabyte: (end.cpu - start.cpu) / (moved / 1e9),
    callsPerSecond: (end.calls - start.calls) / seconds,
    peakMiB: Math.max(...pids.map(pid => residentMiB(pid).peak)),
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
