import { CONFIG_TYPES, type ConfigType } from '../paths.ts';
import { asInteger, asObject, encodeJson, MalformedZnodeError, parseObject, requireObject, textOf } from './json.ts';

/** Overrides of one entity by config name. Values are always text, whatever their type. */
export type EntityConfig = ReadonlyMap<string, string>;

/** An entity whose config was changed. `entity` as it stands in the tree below `/config/<type>`. */
export interface ConfigChange {
  readonly type: ConfigType;
  readonly entity: string;
}

export function encodeConfig(config: EntityConfig): Buffer {
  return encodeJson({ version: 1, config: Object.fromEntries(config) });
}

/** A node without data has no overrides. @throws MalformedZnodeError */
export function decodeConfig(path: string, data: Buffer | null): Map<string, string> {
  if (data === null) return new Map();
  const json = requireObject(path, data);
  const config = asObject(json.config);
  if (json.version !== 1 || config === null) throw new MalformedZnodeError(path, 'expected version 1 and a config');
  return new Map(Object.entries(config).map(([name, value]) => [name, textOf(value)]));
}

export function encodeConfigChange({ type, entity }: ConfigChange): Buffer {
  return encodeJson({ version: 2, entity_path: `${type}/${entity}` });
}

/** Reads versions 1 and 2; null for anything else, which Kafka skips as well. */
export function decodeConfigChange(data: Buffer | null): ConfigChange | null {
  const json = parseObject(data);
  switch (asInteger(json?.version)) {
    case 1:
      return changeOf(json?.entity_type, json?.entity_name);
    case 2: {
      const [type, ...entity] = textOf(json?.entity_path).split('/');
      return changeOf(type, entity.join('/'));
    }
    default:
      return null;
  }
}

function changeOf(type: unknown, entity: unknown): ConfigChange | null {
  const known = CONFIG_TYPES.find(name => name === type);
  return known !== undefined && typeof entity === 'string' && entity !== '' ? { type: known, entity } : null;
}
