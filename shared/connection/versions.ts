import type { Api } from '../protocol/api.ts';
import type { VersionRange } from '../protocol/message.ts';
import { ConnectionError } from './connection.ts';

/**
 * The version to speak: the one asked for, else the highest that both sides know.
 * @param advertised the peer's range; null when it does not serve the API
 * @throws ConnectionError('UNSUPPORTED_VERSION') when the two sides have nothing in common
 */
export function chooseVersion(
  api: Api,
  advertised: VersionRange | null,
  asked: number | undefined,
  peer: string,
): number {
  if (advertised === null) {
    throw new ConnectionError('UNSUPPORTED_VERSION', `${peer} does not serve ${api.name}`);
  }
  const min = Math.max(api.versions.min, advertised.min);
  const max = Math.min(api.versions.max, advertised.max);
  const version = asked ?? max;
  if (version >= min && version <= max) return version;
  const ours = asked === undefined ? `${api.versions.min} to ${api.versions.max}` : `${asked}`;
  throw new ConnectionError(
    'UNSUPPORTED_VERSION',
    `${peer} serves ${api.name} in versions ${advertised.min} to ${advertised.max}, needed is ${ours}`,
  );
}

/** The answer to ApiVersions, by API key. */
export type AdvertisedVersions = ReadonlyMap<number, VersionRange>;

export function advertisedVersions(
  apiKeys: readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[],
): AdvertisedVersions {
  return new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]));
}
