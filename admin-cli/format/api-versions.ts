import { API_KEYS } from '../../shared/protocol/api-keys.ts';
import { KNOWN_APIS } from '../support/known-apis.ts';

export interface AdvertisedApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** One line an API, by key, also for those that the broker lacks (Kafka: `NodeApiVersions.toString`). */
export function apiVersionLines(advertised: readonly AdvertisedApi[]): string {
  const byKey = new Map(advertised.map(api => [api.apiKey, api]));
  const keys = [...new Set([...byKey.keys(), ...API_KEYS.keys()])].sort((a, b) => a - b);
  return keys.map(key => `\t${apiText(key, byKey.get(key))}`).join(',\n');
}

function apiText(key: number, api: AdvertisedApi | undefined): string {
  const name = `${API_KEYS.get(key)?.name ?? 'UNKNOWN'}(${key}): `;
  if (api === undefined) return `${name}UNSUPPORTED`;
  const { minVersion, maxVersion } = api;
  const range = minVersion === maxVersion ? `${minVersion}` : `${minVersion} to ${maxVersion}`;
  return `${name}${range}${usable(api)}`;
}

/** Nothing is said of an API that this tool could not call at all. */
function usable({ apiKey, minVersion, maxVersion }: AdvertisedApi): string {
  const own = KNOWN_APIS.get(apiKey)?.versions;
  if (own === undefined) return '';
  if (own.max < minVersion) return ' [unusable: node too new]';
  if (maxVersion < own.min) return ' [unusable: node too old]';
  return ` [usable: ${Math.min(own.max, maxVersion)}]`;
}
