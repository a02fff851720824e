/** Splits a line into words as a shell does: blanks separate, quotes protect them and are dropped. */
export function splitWords(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare!);
}

/** The words of a command, parsed. */
export interface ShellCommand {
  readonly name: string;
  /** Flags without their dash: `s`, `w`, …. */
  readonly flags: ReadonlySet<string>;
  /** What follows `-v`, or -1. */
  readonly version: number;
  readonly operands: readonly string[];
}

/** Flags come before the path, wherever the command takes them. Data may begin with a dash. */
export function parseCommand(words: readonly string[]): ShellCommand {
  const [name = '', ...rest] = words;
  const flags = new Set<string>();
  let version = -1;
  let at = 0;
  for (; at < rest.length && /^-[a-zA-Z]$/.test(rest[at]!); at++) {
    const flag = rest[at]!.slice(1);
    flags.add(flag);
    if (flag === 'v') version = Number(rest[++at] ?? NaN);
  }
  return { name, flags, version, operands: rest.slice(at) };
}
