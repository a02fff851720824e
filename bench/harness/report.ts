import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { meetsTarget, type Row, type Target } from './row.ts';

export interface Run {
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly machine: Readonly<Record<string, string | number>>;
  /** The machine's load averages when the run began: a busy machine shows itself. */
  readonly loadBefore: { readonly minute: number; readonly fiveMinutes: number; readonly quarterHour: number };
  readonly rows: readonly Row[];
}

const ROOT = join(import.meta.dirname, '../..');

/** Facts about this run, taken before it begins. */
export function beginRun(command: string): Omit<Run, 'rows'> {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const [minute = 0, fiveMinutes = 0, quarterHour = 0] = loadavg().map(load => Number(load.toFixed(2)));
  const isChanged = git('status', '--porcelain', '--', 'broker', 'client', 'shared', 'admin-cli') !== '';
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short=12', 'HEAD') + (isChanged ? ' with changes' : ''),
    command,
    machine: {
      processor: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryMiB: Math.round(totalmem() / 2 ** 20),
      system: `Linux ${release()} ${arch()}`,
      node: process.version,
    },
    loadBefore: { minute, fiveMinutes, quarterHour },
  };
}

/** Writes the run to bench/results/<date>.json and returns the path. */
export function saveRun(run: Run): string {
  const directory = join(ROOT, 'bench/results');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${run.date.slice(0, 19).replaceAll(':', '-')}.json`);
  writeFileSync(path, `${JSON.stringify(run, null, 2)}\n`);
  return path;
}

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map(row => [
    row.name,
    `${short(row.value)} ${row.unit}`,
    row.reference === undefined ? '' : `${short(row.reference.value)} (${row.reference.what})`,
    row.ratio === undefined ? '' : row.ratio.toFixed(2),
    row.target === undefined ? '' : `${targetText(row.target)}: ${meetsTarget(row) === true ? 'met' : '**missed**'}`,
  ]);
  return aligned(['Measurement', 'Samsa', 'compared with', 'ratio', 'target'], cells);
}

/** A Markdown table whose columns stand below each other. */
export function aligned(head: readonly string[], cells: readonly (readonly string[])[]): string {
  const all = [head, ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map(line => line[column]!.length)));
  const text = (line: readonly string[]) => `| ${line.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  const rule = `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`;
  return [text(all[0]!), rule, ...all.slice(1).map(text)].join('\n');
}

function targetText({ limit, is, of }: Target): string {
  return `${is === 'min' ? '≥' : '≤'} ${of === 'ratio' ? `${limit}×` : limit}`;
}

/** Three digits, or all that stand before the point. */
export function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
