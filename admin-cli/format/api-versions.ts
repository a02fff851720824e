import { KAFKA_APIS } from '../support/kafka-apis.ts';

export interface AdvertisedApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/**
 * One line an API, by key, also for those that the broker lacks (Kafka: `NodeApiVersions.toString`). "Usable" is what a
 * client of Apache Kafka 3.9 would use, as that release's tool says it.
 */
export function apiVersionLines(advertised: readonly AdvertisedApi[]): string {
  const lines = new Map<number, string>();
  for (const [key, { name, isInternal }] of KAFKA_APIS) if (!isInternal) lines.set(key, `${name}(${key}): UNSUPPORTED`);
  for (const api of advertised) lines.set(api.apiKey, apiText(api));
  return [...lines.keys()]
    .sort((a, b) => a - b)
    .map(key => `\t${lines.get(key)}`)
    .join(',\n');
}

function apiText({ apiKey, minVersion, maxVersion }: AdvertisedApi): string {
  const known = KAFKA_APIS.get(apiKey);
  const range = minVersion === maxVersion ? `${minVersion}` : `${minVersion} to ${maxVersion}`;
  if (known === undefined) return `UNKNOWN(${apiKey}): ${range}`;
  const use = known.latest < minVersion ? 'unusable: node too new' : `usable: ${Math.min(known.latest, maxVersion)}`;
  return `${known.name}(${apiKey}): ${range} [${use}]`;
}
