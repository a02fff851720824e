import { FEATURE_PATH } from '../paths.ts';
import { asInteger, asObject, encodeJson, MalformedZnodeError, requireObject, textOf } from './json.ts';

/** Finalized features (KIP-584). A ZooKeeper-coordinated cluster normally has none. */
export interface FinalizedFeatures {
  readonly enabled: boolean;
  /** Highest finalized version level by feature name. */
  readonly levels: ReadonlyMap<string, number>;
}

export function encodeFeatures({ enabled, levels }: FinalizedFeatures): Buffer {
  const features = Object.fromEntries([...levels].map(([name, level]) => [name, { max_version_level: level }]));
  return encodeJson({ version: 2, status: enabled ? 1 : 0, features });
}

/** Reads versions 1 (which had a lowest level as well) and 2. @throws MalformedZnodeError */
export function decodeFeatures(data: Buffer | null): FinalizedFeatures {
  const json = requireObject(FEATURE_PATH, data);
  const version = asInteger(json.version);
  if (version === null || version < 1 || version > 2) {
    throw new MalformedZnodeError(FEATURE_PATH, `unsupported version ${textOf(json.version)}`);
  }
  if (json.status !== 0 && json.status !== 1) throw new MalformedZnodeError(FEATURE_PATH, 'status is neither 0 nor 1');
  const levels = new Map<string, number>();
  for (const [name, value] of Object.entries(asObject(json.features) ?? {})) {
    const level = asInteger(asObject(value)?.max_version_level);
    if (level === null) throw new MalformedZnodeError(FEATURE_PATH, `feature ${name} has no max_version_level`);
    levels.set(name, level);
  }
  return { enabled: json.status === 1, levels };
}
