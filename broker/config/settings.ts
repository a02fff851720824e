import { readFileSync } from 'node:fs';
import { ConfigError, type Origin } from '../../shared/config/config-error.ts';
import { readProperties } from '../../shared/config/properties.ts';
import { readEnvironment } from './environment.ts';

/** A setting as it was given at the start: its text, and where. */
export interface Setting {
  readonly text: string;
  readonly origin: Origin;
}

/** Settings by key, in the order in which they were first given. */
export type Settings = ReadonlyMap<string, Setting>;

/** Where the settings of a start come from; later ones win: file, environment, overrides. */
export interface SettingSources {
  /** Path of a .properties file, read unless `text` is given; also names the text in messages. */
  readonly file?: string;
  readonly text?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** From `--override key=value`. */
  readonly overrides?: Readonly<Record<string, string>>;
}

/** @throws ConfigError when the file cannot be read */
export function gatherSettings({ file, text, environment = {}, overrides = {} }: SettingSources): Settings {
  const settings = new Map<string, Setting>();
  const name = file ?? 'server.properties';
  for (const [key, { value, line }] of readProperties(text ?? readFile(file), name)) {
    settings.set(key, { text: value, origin: `${name}, line ${line}` });
  }
  for (const { key, value, variable } of readEnvironment(environment)) {
    settings.set(key, { text: value, origin: `environment variable ${variable}` });
  }
  for (const [key, value] of Object.entries(overrides)) settings.set(key, { text: value, origin: '--override' });
  return settings;
}

function readFile(file: string | undefined): string {
  if (file === undefined) return '';
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw new ConfigError('', `Cannot read the configuration ${file}: ${why}.`);
  }
}

/**
 * The `key=value` arguments of `--override`; the first `=` separates, a later one of the same key wins.
 * @throws ConfigError for an argument without key or `=`
 */
export function parseOverrides(args: readonly string[]): Record<string, string> {
  const overrides: Record<string, string> = {};
  for (const arg of args) {
    const at = arg.indexOf('=');
    if (at <= 0) throw new ConfigError(arg, `--override takes key=value, not "${arg}".`);
    overrides[arg.slice(0, at).trim()] = arg.slice(at + 1);
  }
  return overrides;
}
