import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { header, reportLine } from '../../../../admin-cli/perf/consumer-report.ts';
import { formatDate } from '../../../../admin-cli/perf/date-format.ts';
import { Latencies } from '../../../../admin-cli/perf/latencies.ts';
import { burst } from '../../../../admin-cli/perf/pace.ts';
import { RebalanceClock } from '../../../../admin-cli/perf/rebalance-clock.ts';
import { monotonicPayloads, payloadsFromFile, randomPayload } from '../../../../admin-cli/perf/payloads.ts';

test('percentiles are those of a sample when there are very many', () => {
  const latencies = new Latencies(2_000_000);
  for (let n = 0; n < 2_000_000; n++) latencies.add(Math.floor(n / 2_000));
  expect(latencies.percentiles([0.5, 0.95, 0.999])).toEqual([500, 950, 999]);
  expect(new Latencies(10).percentiles([0.5])).toEqual([0]);
});

test('a rate is held from the start on: what was missed is made up for', () => {
  expect(burst(-1, 1e9, 0)).toBeGreaterThan(1);
  expect(burst(100, 0, 0)).toBe(1);
  expect(burst(100, 1, 5)).toBe(0);
  expect(burst(100, 1, 500)).toBe(50);
  expect(burst(100, 51, 500)).toBe(0);
});

describe('payloads', () => {
  test('are random capital letters, or numbers', () => {
    expect(randomPayload(20)(0).toString()).toMatch(/^[A-Z]{20}$/);
    expect(monotonicPayloads(17).toString()).toBe('17');
  });

  test('come from a file, split at a regular expression', () => {
    const directory = mkdtempSync(join(tmpdir(), 'samsa-payloads-'));
    try {
      const file = join(directory, 'payloads');
      writeFileSync(file, 'one\ntwo\n');
      const values = [0, 0.99].map(chance => payloadsFromFile(file, '\\n', () => chance)(0).toString());
      expect(values).toEqual(['one', 'two']);
      writeFileSync(file, '\n\n');
      expect(() => payloadsFromFile(file, '\\n')).toThrow(/is empty/);
      expect(() => payloadsFromFile(join(directory, 'none'), '\\n')).toThrow(/cannot be read.*none/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

test('rebalances last from the loss of partitions, or the start, to the next ones', () => {
  const clock = new RebalanceClock(1000);
  expect(clock.totalMs).toBe(0);
  clock.assigned(1300);
  clock.revoked(5000);
  expect(clock.totalMs).toBe(300);
  clock.assigned(5050);
  expect(clock.totalMs).toBe(350);
});

describe('the consumer’s report', () => {
  test('says what was read, and how fast since the last line', () => {
    expect(header(false)).toBe(
      'start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec',
    );
    expect(header(true)).toMatch(/^time, threadId, data/);
    const from = { timeMs: 1000, bytes: 1 << 20, messages: 100, rebalanceMs: 0 };
    const to = { timeMs: 3000, bytes: 5 << 20, messages: 500, rebalanceMs: 0 };
    expect(reportLine('a, b', from, to)).toBe('a, b, 5.0000, 2.0000, 500, 200.0000, 0, 2000, 2.0000, 200.0000');
    expect(reportLine('a, b', from, { ...to, rebalanceMs: 1500 })).toBe(
      'a, b, 5.0000, 2.0000, 500, 200.0000, 1500, 500, 8.0000, 800.0000',
    );
  });

  test('shows times as a pattern of Java’s says', () => {
    const time = new Date(2026, 0, 2, 3, 4, 5, 67).getTime();
    expect(formatDate('yyyy-MM-dd HH:mm:ss:SSS', time)).toBe('2026-01-02 03:04:05:067');
    expect(formatDate('d.M.yy', time)).toBe('2.1.26');
    expect(() => formatDate('EEE', time)).toThrow(/'EEE': allowed are the letters/);
  });
});
