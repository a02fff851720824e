import { expect, test } from 'vitest';
import { Consumption } from '../../../../admin-cli/consuming/consumption.ts';
import type { ConsumerRecord } from '../../../../client/index.ts';

const record = (partition: number, offset: number): ConsumerRecord => ({
  topic: 't',
  partition,
  offset,
  timestamp: 0,
  timestampType: 'CreateTime',
  leaderEpoch: 0,
  key: null,
  value: Buffer.from(`v${offset}`),
  headers: [],
});

test('what was read is told by partition, up to the limit, and committed behind the last of it', () => {
  const told: [string, object][] = [];
  const consumption = new Consumption(4, false, (name, fields) => told.push([name, fields]));
  expect(consumption.take([])).toEqual([]);
  expect(told).toEqual([]);
  expect(consumption.take([record(0, 5), record(0, 6), record(2, 40)])).toEqual([
    { topic: 't', partition: 0, offset: 7 },
    { topic: 't', partition: 2, offset: 41 },
  ]);
  expect(consumption.isFinished).toBe(false);
  expect(consumption.take([record(0, 7), record(0, 8), record(2, 41)])).toEqual([
    { topic: 't', partition: 0, offset: 8 },
  ]);
  expect(consumption.isFinished).toBe(true);
  expect(told).toEqual([
    [
      'records_consumed',
      {
        count: 3,
        partitions: [
          { topic: 't', partition: 0, count: 2, minOffset: 5, maxOffset: 6 },
          { topic: 't', partition: 2, count: 1, minOffset: 40, maxOffset: 40 },
        ],
      },
    ],
    [
      'records_consumed',
      { count: 1, partitions: [{ topic: 't', partition: 0, count: 1, minOffset: 7, maxOffset: 7 }] },
    ],
  ]);
});

test('--verbose tells of each record, too; without a limit it never ends', () => {
  const told: object[] = [];
  const consumption = new Consumption(-1, true, (name, fields) => told.push({ name, ...fields }));
  consumption.take([record(1, 3)]);
  expect(told[0]).toEqual({ name: 'record_data', key: null, value: 'v3', topic: 't', partition: 1, offset: 3 });
  expect(consumption.isFinished).toBe(false);
});
