import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { atLeast, between, either, matching, oneOf, someOf } from '../../../../shared/config/rules.ts';
import {
  boolean,
  defaultOf,
  double,
  int,
  list,
  long,
  parseSetting,
  password,
  REQUIRED,
  short,
  string,
  type ConfigValues,
} from '../../../../shared/config/table.ts';
import { MAX_LONG } from '../../../../shared/config/types.ts';

const INT = int(0, '');
const LONG = long(0, '');
const DOUBLE = double(0, '');
const LIST = list([], '');

describe('types', () => {
  it('infers the values of a table', () => {
    const table = { a: int(1, ''), b: string(null, ''), c: boolean(REQUIRED, ''), d: list([], '') };
    expect(defaultOf('a', table.a)).toBe(1);
    expectTypeOf<ConfigValues<typeof table>>().toEqualTypeOf<{
      readonly a: number;
      readonly b: string | null;
      readonly c: boolean;
      readonly d: readonly string[];
    }>();
  });

  it('trims every type', () => {
    expect(parseSetting('k', INT, ' 7\t')).toBe(7);
    expect(parseSetting('k', string('', ''), ' x ')).toBe('x');
  });

  it('takes booleans in any case and nothing else', () => {
    expect(parseSetting('k', boolean(true, ''), 'FALSE')).toBe(false);
    for (const text of ['', 'yes', '1', 'constructor'])
      expect(() => parseSetting('k', boolean(true, ''), text)).toThrow();
  });

  it('bounds int, short and long by their width', () => {
    expect(parseSetting('k', INT, '-2147483648')).toBe(-2147483648);
    expect(() => parseSetting('k', INT, '2147483648')).toThrow(/integer between/);
    expect(() => parseSetting('k', short(0, ''), '32768')).toThrow();
    expect(() => parseSetting('k', LONG, '9223372036854775808')).toThrow();
    for (const text of ['', '1.0', '0x1', '1e3', '1_000', 'NaN', '٣'])
      expect(() => parseSetting('k', LONG, text)).toThrow();
  });

  it('saturates a long beyond 2^53 and writes the largest as Java does', () => {
    expect(parseSetting('k', LONG, '9223372036854775807')).toBe(MAX_LONG);
    expect(LONG.format(MAX_LONG)).toBe('9223372036854775807');
    expect(LONG.format(-1)).toBe('-1');
  });

  it('writes doubles as Java does', () => {
    expect([0.5, 1, 0, 1e9, Number.MAX_VALUE, -2, 1e-4, 1234567.5, 1.25e7].map(value => DOUBLE.format(value))).toEqual([
      '0.5',
      '1.0',
      '0.0',
      '1.0E9',
      '1.7976931348623157E308',
      '-2.0',
      '1.0E-4',
      '1234567.5',
      '1.25E7',
    ]);
    for (const text of ['', 'x', '1,5', '0x10']) expect(() => parseSetting('k', DOUBLE, text)).toThrow();
  });

  it('splits lists at commas and keeps empty elements', () => {
    expect(parseSetting('k', LIST, ' a , b,,c ')).toEqual(['a', 'b', '', 'c']);
    expect(parseSetting('k', LIST, '')).toEqual([]);
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer(), value => {
        expect(parseSetting('k', INT, INT.format(value))).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.maxSafeInteger(), value => {
        expect(parseSetting('k', LONG, LONG.format(value))).toBe(value);
      }),
    );
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0),
        value => {
          expect(parseSetting('k', DOUBLE, DOUBLE.format(value))).toBe(value);
        },
      ),
    );
  });
});

describe('rules', () => {
  it('accept what their words say', () => {
    expect([atLeast(1).accepts(1), atLeast(1).accepts(0)]).toEqual([true, false]);
    expect([0, 1, 9, 10].map(value => between(1, 9).accepts(value))).toEqual([false, true, true, false]);
    expect([-1, 0, 1].map(value => either(-1, atLeast(1)).accepts(value))).toEqual([true, false, true]);
    expect([oneOf('a', 'b').accepts('b'), oneOf('a').accepts('A')]).toEqual([true, false]);
    expect([[], ['a'], ['a', 'x']].map(value => someOf('a', 'b').accepts(value))).toEqual([true, true, false]);
    expect(matching(/^x$/, 'x').accepts('xx')).toBe(false);
  });
});

describe('errors', () => {
  it('are one sentence with the key, the value, what is allowed and where it was set', () => {
    const row = int(1, '', { rule: atLeast(1) });
    expect(() => parseSetting('num.partitions', row, '0', 'server.properties, line 7')).toThrow(
      'num.partitions cannot be "0" (server.properties, line 7): it must be at least 1.',
    );
    expect(() => parseSetting('num.partitions', row, 'many')).toThrow(/"many".*integer.*at least 1/);
  });

  it('never show a password', () => {
    const row = password('', '', { rule: matching(/^long/, 'longer') });
    expect(() => parseSetting('ssl.key.password', row, 'secret')).toThrow(/^(?!.*secret)/);
  });

  it('name a required key that is missing', () => {
    expect(() => defaultOf('zookeeper.connect', string(REQUIRED, ''))).toThrow(/zookeeper\.connect is missing/);
  });
});
