import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonSplitter } from '../../../../../broker/http/rest/json-splitter.ts';

/** What comes out when the text arrives in pieces that are cut at these places. */
function split(text: string, cuts: readonly number[] = [], maxBytes = 1 << 20): string[] {
  const splitter = new JsonSplitter(maxBytes);
  const bytes = Buffer.from(text);
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  const out: string[] = [];
  for (let i = 1; i < places.length; i++) out.push(...splitter.push(bytes.subarray(places[i - 1], places[i])));
  const rest = splitter.end();
  return rest === null ? out : [...out, rest];
}

describe('JsonSplitter', () => {
  test('cuts texts apart wherever the network has cut them', () => {
    const text = fc.oneof(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()).map(value => JSON.stringify(value)),
      fc.array(fc.jsonValue()).map(value => JSON.stringify(value)),
      fc.string({ unit: 'binary' }).map(value => JSON.stringify(value)),
    );
    const space = fc.constantFrom('', ' ', '\n', '\r\n\t ');
    fc.assert(
      fc.property(fc.array(fc.tuple(text, space)), fc.array(fc.nat({ max: 400 }), { maxLength: 8 }), (texts, cuts) => {
        const joined = texts.flat().join('');
        const length = Buffer.byteLength(joined);
        expect(
          split(
            joined,
            cuts.filter(cut => cut <= length),
          ),
        ).toEqual(texts.map(([first]) => first));
      }),
    );
  });

  test('what is no JSON spoils nothing else', () => {
    expect(split('{"a":1} nonsense {"b":}{"c":"}{"}')).toEqual(['{"a":1}', 'nonsense', '{"b":}', '{"c":"}{"}']);
    expect(split('12{"a":1}} {"b":1}')).toEqual(['12', '{"a":1}', '}', '{"b":1}']);
    expect(split('null,{}')).toEqual(['null,', '{}']);
    expect(split('{"a":')).toEqual(['{"a":']);
    expect(split(' \n')).toEqual([]);
  });

  test('a text has a limit, also when it comes in small pieces', () => {
    const text = `{"a":"${'x'.repeat(90)}"}`;
    expect(split(text, [], 98)).toEqual([text]);
    for (const cuts of [[], [10, 20, 60], Array.from({ length: 98 }, (_, at) => at)]) {
      expect(() => split(text, cuts, 97)).toThrow('more than 97 bytes');
    }
  });
});
