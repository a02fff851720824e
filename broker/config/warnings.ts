import { defaultText, type ConfigRow } from '../../shared/config/table.ts';
import { withoutListenerPrefix } from './dynamic.ts';
import type { Settings } from './settings.ts';
import { brokerConfigRow } from './values.ts';

/**
 * What an operator should hear about the settings of a start: one sentence on all that are known but without effect in
 * this build, and one, as Kafka words it, on each that is unknown.
 */
export function warningsAbout(settings: Settings): string[] {
  const idle: string[] = [];
  const unknown: string[] = [];
  for (const [key, { text }] of settings) {
    const row = brokerConfigRow(withoutListenerPrefix(key));
    if (row === undefined) unknown.push(`The configuration '${key}' was supplied but isn't a known config.`);
    else if (asksForMore(row, text)) idle.push(key);
  }
  const warnings =
    idle.length === 0 ? [] : [`Known settings that this version does not act on yet: ${idle.join(', ')}.`];
  return [...warnings, ...unknown];
}

/** Setting a value that is the default anyway, as Kafka's sample files do, asks for nothing. */
function asksForMore(row: ConfigRow<unknown>, text: string): boolean {
  if (row.status === 'used') return false;
  const value = row.parse(text.trim());
  return value === undefined || row.format(value) !== defaultText(row);
}
