import { describe, expect, test } from 'vitest';
import { LineReader } from '../../../../admin-cli/producing/line-reader.ts';

function read(line: string, properties: Record<string, string> = {}) {
  const { key, value, headers } = new LineReader(properties).read(Buffer.from(line));
  return {
    key: key?.toString() ?? null,
    value: value?.toString() ?? null,
    headers: headers?.map(header => [header.key, header.value?.toString() ?? null]),
  };
}

const KEYS = { 'parse.key': 'true' };
const BOTH = { 'parse.key': 'true', 'parse.headers': 'true' };

describe('lines', () => {
  test('are values, unless said otherwise', () => {
    expect(read('k\tv')).toEqual({ key: null, value: 'k\tv', headers: undefined });
    expect(read('')).toEqual({ key: null, value: '', headers: undefined });
  });

  test.each([
    ['k\tv', {}, 'k', 'v'],
    ['k\tv\tw', {}, 'k', 'v\tw'],
    ['\tv', {}, '', 'v'],
    ['k::v', { 'key.separator': '::' }, 'k', 'v'],
    ['k:v', { 'key.separator': ':' }, 'k', 'v'],
    ['no key', { 'ignore.error': 'true' }, null, 'no key'],
    ['N\tv', { 'null.marker': 'N' }, null, 'v'],
    ['k\tN', { 'null.marker': 'N' }, 'k', null],
  ])('%j with key, %j', (line, more, key, value) => {
    expect(read(line, { ...KEYS, ...more })).toMatchObject({ key, value });
  });

  test.each([
    [
      'h1:a,h2:b\tk\tv',
      {},
      [
        ['h1', 'a'],
        ['h2', 'b'],
      ],
    ],
    ['h:a:b\tk\tv', {}, [['h', 'a:b']]],
    ['h\tk\tv', { 'ignore.error': 'true' }, [['h', null]]],
    ['h:N\tk\tv', { 'null.marker': 'N' }, [['h', null]]],
    ['N\tk\tv', { 'null.marker': 'N' }, undefined],
    [
      'a=1;;b=2|k\tv',
      { 'headers.delimiter': '|', 'headers.separator': ';+', 'headers.key.separator': '=' },
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
  ])('%j with headers and key', (line, more, headers) => {
    expect(read(line, { ...BOTH, ...more })).toEqual({ key: 'k', value: 'v', headers });
  });

  test('bytes that are no text arrive as they are', () => {
    const line = Buffer.from([0x6b, 0x09, 0xff, 0xfe]);
    expect(new LineReader(KEYS).read(line)).toMatchObject({ key: Buffer.from('k'), value: Buffer.from([0xff, 0xfe]) });
  });

  test('a malformed one is named by its number', () => {
    const reader = new LineReader(KEYS);
    reader.read(Buffer.from('a\tb'));
    expect(() => reader.read(Buffer.from('c'))).toThrow("No key separator found on line number 2: 'c'");
    expect(() => read('h\tk\tv', BOTH)).toThrow("No header key separator found in pair 'h' on line number 1");
    expect(() => read('N:1\tk\tv', { ...BOTH, 'null.marker': 'N' })).toThrow(
      /Header keys should not be equal to the null marker/,
    );
  });

  test.each([
    [{ 'headers.delimiter': ',' }, 'headers.delimiter and headers.separator may not be equal'],
    [{ 'null.marker': '\t' }, 'null.marker and headers.delimiter may not be equal'],
    [{ 'null.marker': 'x', 'key.separator': 'x' }, 'null.marker and key.separator may not be equal'],
    [{ 'key.separator': '' }, 'key.separator may not be empty'],
    [{ 'headers.separator': '(' }, "headers.separator is a regular expression, which '(' is not"],
  ])('%j is refused', (properties, message) => {
    expect(() => new LineReader(properties)).toThrow(message);
  });
});
