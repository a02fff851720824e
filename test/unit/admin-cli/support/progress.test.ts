import { expect, test } from 'vitest';
import { Progress } from '../../../../admin-cli/support/progress.ts';

function shown(total: number | null, ...updates: number[]): string[] {
  const written: string[] = [];
  const progress = new Progress('lines', total, text => written.push(text));
  for (const done of updates) progress.update(done);
  progress.clear();
  progress.clear();
  return written.map(text => text.replace('\r\x1b[2K', '<').replace(/[\d,]+ lines\/s/, 'N lines/s'));
}

test('shows the part of what there is, or the count, with its speed; goes without a trace', () => {
  expect(shown(2000, 500)).toEqual(['<25 % of 2,000 lines, N lines/s', '<']);
  expect(shown(null, 1500)).toEqual(['<1,500 lines, N lines/s', '<']);
});

test('is not drawn more often than one can see, nor taken away when nothing was drawn', () => {
  expect(shown(100, 1, 2, 3)).toEqual(['<1 % of 100 lines, N lines/s', '<']);
  expect(shown(100)).toEqual([]);
});
