import { readSettings } from '../support/settings.ts';
import { ToolFailure } from '../support/tool.ts';
import type { ConfigsOptions } from './options.ts';

export interface Changes {
  readonly added: ReadonlyMap<string, string>;
  readonly deleted: readonly string[];
}

/** What `--add-config`, `--add-config-file` and `--delete-config` ask for. @throws ToolFailure for what cannot be read */
export function requestedChanges(options: ConfigsOptions): Changes {
  const added =
    options.addConfigFile === undefined
      ? parseAddConfig(options.addConfig)
      : new Map(Object.entries(readSettings(options.addConfigFile)));
  const deleted = (options.deleteConfig ?? []).flatMap(list => list.split(',')).map(name => name.trim());
  return { added, deleted: deleted.filter(name => name !== '') };
}

/** Parses `k1=v1,k2=[a,b]`: commas within square brackets do not separate, and the brackets go. @throws ToolFailure */
export function parseAddConfig(list: string | undefined): Map<string, string> {
  if (list === undefined) return new Map();
  const pairs = list.split(/,(?=[^\]]*(?:\[|$))/).filter(pair => pair.trim() !== '');
  return new Map(
    pairs.map(pair => {
      const at = pair.indexOf('=');
      if (at <= 0) {
        throw new ToolFailure('Invalid entity config: all configs to be added must be in the format "key=val".');
      }
      return [
        pair.slice(0, at).trim(),
        pair
          .slice(at + 1)
          .replace(/[[\]]/g, '')
          .trim(),
      ];
    }),
  );
}
