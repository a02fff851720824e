import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../harness/report.ts';

const README = join(import.meta.dirname, '../README.md');
const BEGIN = '<!-- versus-kafka: begin (written by npm run bench:versus -- --readme) -->';
const END = '<!-- versus-kafka: end -->';

/** What was measured, where and how. */
export function heading({ commit, command, date, machine, loadBefore }: Omit<Run, 'rows'>): string {
  const { cores, processor, memoryMiB, system, node } = machine;
  const where = `${cores} processors (${processor}), ${Math.round(Number(memoryMiB) / 1024)} GiB, ${system}, Node ${node}`;
  return `Commit ${commit}, ${date.slice(0, 10)}, \`${command}\`; ${where}; load average before: ${loadBefore.minute}.`;
}

/** Puts `text` into bench/README.md, in place of what a former run put there. */
export function writeReadme(text: string): void {
  const readme = readFileSync(README, 'utf8');
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`bench/README.md lacks the lines ${BEGIN} and ${END}`);
  writeFileSync(README, `${readme.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${readme.slice(end)}`);
}
