import { describe, expect, test } from 'vitest';
import { parseDateTime, parseDuration } from '../../../../admin-cli/groups/iso8601.ts';
import { formatPlan, parsePlan } from '../../../../admin-cli/groups/reset-csv.ts';
import {
  resetOffset,
  strategyOf,
  type Facts,
  type ResetStrategy,
} from '../../../../admin-cli/groups/reset-strategy.ts';

describe('a date and time', () => {
  const noon = Date.UTC(2026, 10, 21, 12);

  test.each<[string, number]>([
    ['2026-11-21T12:00:00.000', noon],
    ['2026-11-21T12:00:00.000Z', noon],
    ['2026-11-21T14:30:00.250+02:30', noon + 250],
    ['2026-11-21T14:30:00.250+0230', noon + 250],
    ['2026-11-21T04:00:00.000-08', noon],
    ['2024-02-29T00:00:00.000', Date.UTC(2024, 1, 29)],
  ])('%s', (text, ms) => {
    expect(parseDateTime(text)).toBe(ms);
  });

  test.each([
    '2026-11-21',
    '2026-11-21T12:00:00',
    '2026-11-21T12:00:00.5',
    '2026-11-21 12:00:00.000',
    '2026-11-21T12:00:00.000+2',
    '2026-02-30T12:00:00.000',
    '2026-13-01T12:00:00.000',
    '2026-11-21T24:00:00.000',
    '2026-11-21T12:60:00.000',
    '2026-11-21T12:00:00.000+24:00',
    '21-11-2026T12:00:00.000',
    '',
  ])("'%s' is none", text => {
    expect(() => parseDateTime(text)).toThrow(`'${text}' is no date and time`);
    expect(() => parseDateTime(text)).toThrow('YYYY-MM-DDTHH:mm:ss.SSS');
  });
});

describe('a duration', () => {
  test.each<[string, number]>([
    ['P7D', 7 * 86_400_000],
    ['PT1H30M', 90 * 60_000],
    ['P1DT2H3M4.5S', 86_400_000 + 2 * 3_600_000 + 3 * 60_000 + 4_500],
    ['pt0.25s', 250],
    ['PT5.S', 5000],
    ['PT-6H', -6 * 3_600_000],
    ['-PT-6H3M', 6 * 3_600_000 - 3 * 60_000],
    ['PT-1.5S', -1500],
    ['PT-0.5S', -500],
    ['P0D', 0],
  ])('%s', (text, ms) => {
    expect(parseDuration(text) + 0).toBe(ms);
  });

  test.each(['', 'P', 'PT', 'P1DT', '7D', 'P7', 'P1H', 'PT1D', 'P1W', 'P1Y', 'PT1.5H', 'PT1M1H', ' P1D', 'PT.5S'])(
    "'%s' is none",
    text => {
      expect(() => parseDuration(text)).toThrow(`'${text}' is no duration: the form is PnDTnHnMnS`);
    },
  );
});

describe('the offsets of a file', () => {
  const rows = [
    { group: 'a', topic: 'orders', partition: 0, offset: 5 },
    { group: 'b, "c"', topic: 'orders', partition: 1, offset: 6 },
  ];

  test('come back as they were written, with groups where there are several', () => {
    const plan = new Map([
      ['a', [{ topic: 'orders', partition: 0, offset: 5 }]],
      ['b, "c"', [{ topic: 'orders', partition: 1, offset: 6 }]],
    ]);
    expect(formatPlan(rows, true)).toBe('a,orders,0,5\n"b, ""c""",orders,1,6\n');
    expect(parsePlan(formatPlan(rows, true), null)).toEqual(plan);
    expect(formatPlan(rows.slice(0, 1), false)).toBe('orders,0,5\n');
    expect(parsePlan('orders,0,5\r\n\n', 'a')).toEqual(new Map([...plan].slice(0, 1)));
    // One group was named, and a file of several has it, too.
    expect(parsePlan(formatPlan(rows, true), 'a')).toEqual(plan);
    expect(parsePlan('"orders" , 0, 5', 'a')).toEqual(new Map([...plan].slice(0, 1)));
  });

  test.each<[string, string | null, string]>([
    ['orders,0,5', null, "line 1 ('orders,0,5') has 3 columns: the form is topic,partition,offset"],
    ['a,orders,0,5\norders,0', 'a', "line 2 ('orders,0') has 2 columns: the form is [group,]topic,partition,offset"],
    ['orders,x,5', 'a', "has 'x' for a partition"],
    ['orders,-1,5', 'a', "has '-1' for a partition"],
    ['orders,0,', 'a', "has '' for an offset"],
    ['orders,0,99999999999999999999', 'a', 'for an offset'],
    [',0,5', 'a', 'has an empty name'],
    ['"orders,0,5', 'a', 'has quotes that do not match'],
    ['or"ders,0,5', 'a', 'has quotes that do not match'],
    ['orders,0,5\norders,0,6', 'a', 'line 2 names a orders-0 again'],
  ])('%j is refused', (text, group, problem) => {
    expect(() => parsePlan(text, group)).toThrow(problem);
  });
});

describe('a strategy', () => {
  const NOW = Date.UTC(2026, 10, 21);
  const tp = { topic: 't', partition: 0 };
  const of = (offset?: number) => new Map(offset === undefined ? [] : [['t-0', offset]]);
  const facts = (given: { committed?: number; atTime?: number } = {}): Facts => ({
    start: of(10),
    end: of(100),
    committed: of(given.committed),
    atTime: of(given.atTime),
  });

  test('is what the options say', () => {
    expect(strategyOf({ toEarliest: true }, NOW)).toEqual({ to: 'earliest' });
    expect(strategyOf({ toOffset: 0 }, NOW)).toEqual({ to: 'offset', offset: 0 });
    expect(strategyOf({ shiftBy: 0 }, NOW)).toEqual({ to: 'shift', by: 0 });
    expect(strategyOf({ fromFile: 'f' }, NOW)).toEqual({ to: 'plan', file: 'f' });
    expect(strategyOf({ byDuration: 'PT1H' }, NOW)).toEqual({ to: 'time', timestampMs: NOW - 3_600_000 });
    const toDatetime = '2026-11-21T00:00:00.000';
    expect(strategyOf({ toDatetime }, 0)).toEqual({ to: 'time', timestampMs: NOW });
    expect(() => strategyOf({ byDuration: 'one hour' }, NOW)).toThrow("'one hour' is no duration");
    expect(() => strategyOf({ toDatetime: 'today' }, NOW)).toThrow("'today' is no date and time");
  });

  const higher = 'New offset (101) is higher than latest offset for topic partition t-0. Value will be set to 100';
  const lower = 'New offset (9) is lower than earliest offset for topic partition t-0. Value will be set to 10';

  test.each<[ResetStrategy, Facts, number, string | null]>([
    [{ to: 'earliest' }, facts(), 10, null],
    [{ to: 'latest' }, facts(), 100, null],
    [{ to: 'current' }, facts({ committed: 42 }), 42, null],
    [{ to: 'current' }, facts(), 100, null],
    [{ to: 'offset', offset: 100 }, facts(), 100, null],
    [{ to: 'offset', offset: 10 }, facts(), 10, null],
    [{ to: 'offset', offset: 101 }, facts(), 100, higher],
    [{ to: 'offset', offset: 9 }, facts(), 10, lower],
    [{ to: 'shift', by: -2 }, facts({ committed: 42 }), 40, null],
    [{ to: 'shift', by: 59 }, facts({ committed: 42 }), 100, higher],
    [{ to: 'shift', by: -33 }, facts({ committed: 42 }), 10, lower],
    [{ to: 'time', timestampMs: 1 }, facts({ atTime: 77 }), 77, null],
  ])('%j', (strategy, known, offset, warning) => {
    expect(resetOffset(strategy, tp, known)).toEqual({ ...tp, offset, warning });
  });

  test('to a time after the last record is to the end, and says so', () => {
    const { offset, warning } = resetOffset({ to: 'time', timestampMs: 1 }, tp, facts());
    expect(offset).toBe(100);
    expect(warning).toContain('Partition 0 from topic t is empty. Falling back to latest known offset.');
  });

  test('of a file keeps within the log', () => {
    expect(resetOffset({ to: 'plan', file: 'f' }, tp, facts(), 50).offset).toBe(50);
    expect(resetOffset({ to: 'plan', file: 'f' }, tp, facts(), 101).warning).toBe(higher);
  });

  test('has nothing to start from where nothing is committed, and no end where there is no partition', () => {
    expect(() => resetOffset({ to: 'shift', by: 1 }, tp, facts())).toThrow(
      'Cannot shift offset for partition t-0 since there is no current committed offset',
    );
    const none = { start: of(), end: of(), committed: of(), atTime: of() };
    expect(() => resetOffset({ to: 'earliest' }, tp, none)).toThrow(
      'Error getting starting offset of topic partition: t-0',
    );
    expect(() => resetOffset({ to: 'current' }, tp, none)).toThrow(
      'Error getting ending offset of topic partition: t-0',
    );
  });
});
