import { expect, test } from 'vitest';
import { TimedTransactions } from '../../../../admin-cli/perf/timed-transactions.ts';

function timed(durationMs: number) {
  const did: string[] = [];
  const made = new TimedTransactions(
    {
      beginTransaction: () => void did.push('begin'),
      commitTransaction: () => Promise.resolve(void did.push('commit')),
    },
    durationMs,
  );
  const sendAt = async (nowMs: number, records = 1) => {
    for (let n = 0; n < records; n++) made.beforeRecord(nowMs);
    did.push(`${nowMs}`);
    await made.afterRecords(nowMs);
  };
  return { made, did, sendAt };
}

test('a transaction is open until records are sent when its time is over', async () => {
  const { made, did, sendAt } = timed(100);
  for (const nowMs of [1000, 1099, 1100, 1350]) await sendAt(nowMs, 3);
  expect(did).toEqual(['begin', '1000', '1099', '1100', 'commit', 'begin', '1350']);
  await made.finish();
  expect(did.slice(-2)).toEqual(['1350', 'commit']);
});

test('nothing is committed where nothing is open', async () => {
  const { made, did, sendAt } = timed(5);
  await made.afterRecords(1000);
  await made.finish();
  expect(did).toEqual([]);
  await sendAt(1000);
  await sendAt(1005);
  await made.finish();
  expect(did).toEqual(['begin', '1000', '1005', 'commit']);
});
