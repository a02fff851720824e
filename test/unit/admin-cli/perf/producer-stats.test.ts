import { expect, test } from 'vitest';
import { ProducerStats } from '../../../../admin-cli/perf/producer-stats.ts';

function stats(expected: number) {
  const lines: string[] = [];
  const failures: Error[] = [];
  const clock = { now: 0 };
  const made = new ProducerStats({
    expected,
    now: () => clock.now,
    intervalMs: 5000,
    print: line => lines.push(line),
    onFailure: error => failures.push(error),
  });
  return { made, lines, failures, clock };
}

const DONE = { topic: 't', partition: 0, offset: 0, timestamp: 0 };

test('prints a line an interval and one of all, in Kafka’s form', () => {
  const { made, lines, clock } = stats(100);
  for (let n = 0; n < 100; n++) {
    const callback = made.callback(clock.now, 1 << 20);
    clock.now += n === 99 ? 210 : 100;
    callback(null, DONE);
  }
  made.printTotal();
  expect(lines).toEqual([
    '50 records sent, 10.0 records/sec (10.00 MB/sec), 100.0 ms avg latency, 100.0 ms max latency.',
    '50 records sent, 9.8 records/sec (9.78 MB/sec), 102.2 ms avg latency, 210.0 ms max latency.',
    '100 records sent, 9.891197 records/sec (9.89 MB/sec), 101.10 ms avg latency, 210.00 ms max latency, 100 ms 50th, 100 ms 95th, 210 ms 99th, 210 ms 99.9th.',
  ]);
});

test('a record that failed does not count', () => {
  const { made, lines, failures, clock } = stats(2);
  made.callback(0, 10)(new Error('no'), null);
  clock.now = 1000;
  made.callback(999, 10)(null, DONE);
  made.printTotal();
  expect(failures.map(error => error.message)).toEqual(['no']);
  expect(lines[0]).toMatch(/^1 records sent, 1\.000000 records\/sec .* 1 ms 99\.9th\.$/);
});

test('records of one burst share their callback', () => {
  const { made } = stats(2);
  expect(made.callback(5, 10)).toBe(made.callback(5, 10));
  expect(made.callback(5, 10)).not.toBe(made.callback(5, 11));
  expect(made.callback(5, 11)).not.toBe(made.callback(6, 11));
});
