import type { Connection } from '../../shared/connection/connection.ts';
import type { ResponseOf } from '../../shared/protocol/api.ts';
import { DescribeConfigs } from '../../shared/protocol/messages/describe-configs.ts';
import { IncrementalAlterConfigs } from '../../shared/protocol/messages/incremental-alter-configs.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { KafkaError, throwIfError } from '../errors.ts';
import type { ConfigChange, ConfigEntry, ConfigResource, ConfigSource } from './types.ts';

/** Resource types on the wire (Kafka's ConfigResource.Type). */
const RESOURCE_TYPES = { topic: 2, broker: 4, 'broker-logger': 8 } as const;

/** Sources on the wire, by code (Kafka's DescribeConfigsResponse.ConfigSource). */
const SOURCES: readonly ConfigSource[] = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
];

const OPERATIONS = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

type WireEntry = ResponseOf<typeof DescribeConfigs>['results'][number]['configs'][number];

export function configSource(code: number): ConfigSource {
  return SOURCES[code] ?? 'UNKNOWN';
}

function entry(wire: WireEntry): ConfigEntry {
  return {
    name: wire.name,
    value: wire.value,
    source: configSource(wire.configSource),
    isSensitive: wire.isSensitive,
    isReadOnly: wire.readOnly,
    synonyms: wire.synonyms.map(s => ({ name: s.name, value: s.value, source: configSource(s.source) })),
  };
}

/** The settings of each of the resources, in the order asked. @throws KafkaError when the broker refuses one */
export async function describeConfigs(
  connection: Connection,
  resources: readonly ConfigResource[],
  includeSynonyms: boolean,
): Promise<ConfigEntry[][]> {
  const response = (await connection.call(DescribeConfigs, {
    resources: resources.map(({ type, name }) => ({
      resourceType: RESOURCE_TYPES[type],
      resourceName: name,
      configurationKeys: null,
    })),
    includeSynonyms,
    includeDocumentation: false,
  }))!;
  const results = new Map(response.results.map(result => [`${result.resourceType}:${result.resourceName}`, result]));
  return resources.map(({ type, name }) => {
    const result = results.get(`${RESOURCE_TYPES[type]}:${name}`);
    if (result === undefined) throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, `no answer about ${type} ${name}`);
    throwIfError(result.errorCode, result.errorMessage);
    return result.configs.map(entry);
  });
}

/** @throws KafkaError when the broker refuses, or, with `validateOnly`, would */
export async function alterConfigs(
  connection: Connection,
  resource: ConfigResource,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
): Promise<void> {
  const configs = changes.map(({ name, operation, value }) => ({
    name,
    configOperation: OPERATIONS[operation],
    value: value ?? null,
  }));
  const response = (await connection.call(IncrementalAlterConfigs, {
    resources: [{ resourceType: RESOURCE_TYPES[resource.type], resourceName: resource.name, configs }],
    validateOnly,
  }))!;
  const result = response.responses[0]!;
  throwIfError(result.errorCode, result.errorMessage);
}
