import { expect, test } from 'vitest';
import { parseCommand, splitWords } from '../../../../admin-cli/zookeeper/command-line.ts';

test.each([
  ['ls /', ['ls', '/']],
  ['  create   /a  "two words" ', ['create', '/a', 'two words']],
  [`set /a '{"a":"b"}'`, ['set', '/a', '{"a":"b"}']],
  ['', []],
])('%j as words', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test('flags come before the path; what follows -v is a version; data may begin with a dash', () => {
  expect(parseCommand(['set', '-s', '-v', '3', '/a', '-1'])).toEqual({
    name: 'set',
    flags: new Set(['s', 'v']),
    version: 3,
    operands: ['/a', '-1'],
  });
  expect(parseCommand(['get', '/a'])).toEqual({ name: 'get', flags: new Set(), version: -1, operands: ['/a'] });
});
