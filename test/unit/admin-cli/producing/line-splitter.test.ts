import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from '../../../../admin-cli/producing/line-splitter.ts';

function split(chunks: readonly string[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter();
  const keep = (line: Buffer) => lines.push(line.toString());
  for (const chunk of chunks) splitter.push(Buffer.from(chunk), keep);
  splitter.end(keep);
  return lines;
}

test.each([
  ['a\nb\n', ['a', 'b']],
  ['a\nb', ['a', 'b']],
  ['a\r\nb\r\n', ['a', 'b']],
  ['a\rb\nc', ['a', 'b', 'c']],
  ['\n\na\n', ['', '', 'a']],
  ['a\r', ['a']],
  ['a\r\r\nb', ['a', '', 'b']],
  ['', []],
])('%j', (text, lines) => {
  expect(split([text])).toEqual(lines);
});

test('where the chunks end makes no difference', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'bc', '\n', '\r', '\r\n', 'é'), maxLength: 40 });
  fc.assert(
    fc.property(text, fc.array(fc.nat(60), { maxLength: 6 }), (input, cuts) => {
      const ends = [...cuts.map(cut => Math.min(cut, input.length)), input.length].sort((a, b) => a - b);
      const chunks = ends.map((end, index) => input.slice(ends[index - 1] ?? 0, end));
      expect(split(chunks)).toEqual(split([input]));
      // What Java's BufferedReader makes of it.
      const expected = input.split(/\r\n|\n|\r/);
      if (expected.at(-1) === '') expected.pop();
      expect(split(chunks)).toEqual(expected);
    }),
  );
});
