import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../../shared/config/config-error.ts';
import { readProperties } from '../../../../shared/config/properties.ts';

const read = (text: string) =>
  Object.fromEntries([...readProperties(text, 'f')].map(([key, { value }]) => [key, value]));

describe('readProperties', () => {
  it('takes =, : and blanks as separators, and drops blanks before key and value', () => {
    expect(read('  a = 1\nb:2\nc 3\n\td\t=\t4')).toEqual({ a: '1', b: '2', c: '3', d: '4' });
  });

  it('passes over comments and empty lines', () => {
    expect(read('# a=1\n  ! b=2\n\n   \nc=3')).toEqual({ c: '3' });
  });

  it('keeps blanks at the end of a value, and further separators in it', () => {
    expect(read('a=1  \nb=x=y:z')).toEqual({ a: '1  ', b: 'x=y:z' });
  });

  it('joins lines that end in a backslash, without the blanks that begin the next one', () => {
    expect(read('listeners=PLAINTEXT://:9092,\\\n    SSL://:9093\nb=1')).toEqual({
      listeners: 'PLAINTEXT://:9092,SSL://:9093',
      b: '1',
    });
  });

  it('reads escapes, and takes the backslash off any other character', () => {
    expect(read('a\\ b=1\nc\\=d=\\t\\u00e4\\q\\\\')).toEqual({ 'a b': '1', 'c=d': '\täq\\' });
  });

  it('gives an empty value to a key without a separator', () => {
    expect(read('alone')).toEqual({ alone: '' });
  });

  it('lets the last line of a key win and tells its number, also behind continuation lines and CRLF', () => {
    const lines = readProperties('a=1\r\n# c\r\nb=x\\\r\n  y\r\na=2\r\n', 'f');
    expect(lines.get('a')).toEqual({ value: '2', line: 5 });
    expect(lines.get('b')).toEqual({ value: 'xy', line: 3 });
  });

  it('refuses a malformed unicode escape with a sentence that names the file', () => {
    expect(() => readProperties('a=\\u12', 'etc/x.properties')).toThrow(ConfigError);
    expect(() => readProperties('a=\\u12', 'etc/x.properties')).toThrow(/etc\/x\.properties/);
  });

  it('reads back whatever an escaping writer wrote', () => {
    const escape = (text: string) =>
      Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), dictionary => {
        const text = Object.entries(dictionary).map(([key, value]) => `${escape(key)}=${escape(value)}\n`);
        expect(read(text.join(''))).toEqual({ ...dictionary });
      }),
    );
  });
});
