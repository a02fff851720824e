import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { NewOffset } from '../format/group-tables.ts';

/** Offsets of groups to be set, by group and partition. */
export type ResetPlan = ReadonlyMap<string, readonly (TopicPartition & { readonly offset: number })[]>;

/**
 * Offsets as CSV, a line each: `topic,partition,offset`, with the group in front where there are several.
 * @param withGroup whether several groups were asked for
 */
export function formatPlan(offsets: readonly NewOffset[], withGroup: boolean): string {
  return offsets
    .map(({ group, topic, partition, offset }) => {
      const cells = [...(withGroup ? [quoted(group)] : []), quoted(topic), partition, offset];
      return `${cells.join(',')}\n`;
    })
    .join('');
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Parses what `formatPlan` wrote.
 * @param group the only group that was named, which lines without a group are about; null when there are several
 * @throws Error naming the line, what is wrong with it, and the form
 */
export function parsePlan(text: string, group: string | null): ResetPlan {
  const plan = new Map<string, (TopicPartition & { offset: number })[]>();
  const seen = new Set<string>();
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '') return;
    const row = parseLine(line, index + 1, group);
    const key = `${row.group} ${partitionKey(row.topic, row.partition)}`;
    if (seen.has(key)) throw new Error(`line ${index + 1} names ${key} again`);
    seen.add(key);
    const { topic, partition, offset } = row;
    plan.set(row.group, [...(plan.get(row.group) ?? []), { topic, partition, offset }]);
  });
  return plan;
}

function parseLine(line: string, number: number, group: string | null): NewOffset {
  const wrong = (why: string) =>
    new Error(
      `line ${number} ('${line}') ${why}: the form is ${group === null ? '' : '[group,]'}topic,partition,offset`,
    );
  const cells = cellsOf(line);
  if (cells === null) throw wrong('has quotes that do not match');
  if (cells.length === 3 && group !== null) cells.unshift(group);
  if (cells.length !== 4) throw wrong(`has ${cells.length} columns`);
  const [named, topic, partition, offset] = cells as [string, string, string, string];
  if (named === '' || topic === '') throw wrong('has an empty name');
  if (!/^\d+$/.test(partition)) throw wrong(`has '${partition}' for a partition`);
  if (!/^-?\d+$/.test(offset) || !Number.isSafeInteger(Number(offset))) throw wrong(`has '${offset}' for an offset`);
  return { group: named, topic, partition: Number(partition), offset: Number(offset) };
}

/** The cells of a line (RFC 4180); null when a quote is not closed, or stands where none may. */
function cellsOf(line: string): string[] | null {
  const cells: string[] = [];
  const cell = /\s*(?:"((?:[^"]|"")*)"|([^",]*))\s*(,|$)/y;
  for (;;) {
    const match = cell.exec(line);
    if (match === null) return null;
    cells.push(match[1] === undefined ? match[2]!.trim() : match[1].replaceAll('""', '"'));
    if (match[3] === '') return cells;
  }
}
