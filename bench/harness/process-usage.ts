import { readFileSync } from 'node:fs';

/** Clock ticks per second of /proc: fixed in the kernel's interface. */
const TICKS_PER_SECOND = 100;

/** User and system CPU seconds that a process has used so far, all its threads together. */
export function cpuSeconds(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The same of all those children of this process that have ended. */
export function endedChildrenCpuSeconds(): number {
  const fields = statOf(process.pid);
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

/** The fields of /proc/<pid>/stat from the state on. */
function statOf(pid: number): string[] {
  // The command name, in parentheses, may hold spaces: count from behind it.
  return readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
}

/** Resident memory of a process in MiB: now, and the most it ever had. */
export function residentMiB(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}
