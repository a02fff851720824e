import { readFileSync } from 'node:fs';
import { readProperties } from '../../shared/config/properties.ts';
import type { ClientSettings } from '../../client/index.ts';
import { ToolFailure, UsageError } from './tool.ts';

/** Reads a `.properties` file given to a tool. @throws ToolFailure naming the file */
export function readSettings(file: string | undefined): Record<string, string> {
  if (file === undefined) return {};
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ToolFailure(`Cannot read ${file}: ${(error as Error).message}`);
  }
  return Object.fromEntries([...readProperties(text, file)].map(([key, { value }]) => [key, value]));
}

/** Splits `key=value` options at their first `=`. @throws UsageError for one that has none */
export function keyValues(pairs: readonly string[] | undefined, option: string): Record<string, string> {
  return Object.fromEntries(
    (pairs ?? []).map(pair => {
      const at = pair.indexOf('=');
      if (at <= 0) throw new UsageError(`Cannot parse '${pair}' of option ${option}: it takes key=value`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** Settings of a tool's client: the file's, then the tool's own options. */
export function clientSettings(bootstrap: string, file?: string, more: ClientSettings = {}): ClientSettings {
  return { ...readSettings(file), 'bootstrap.servers': bootstrap, ...more };
}

/** Picks the value of a setting: the tool's option if it was given, else what the properties say, else the default. */
export function optionOrSetting(own: Readonly<Record<string, string>>) {
  return <T>(name: string, option: T | undefined, fallback: T): T | string => option ?? own[name] ?? fallback;
}
