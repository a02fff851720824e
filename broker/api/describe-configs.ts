import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { DescribeConfigs } from '../../shared/protocol/messages/describe-configs.ts';
import type { ConfigDescription } from '../../shared/config/description.ts';
import { topicNameProblem } from '../../shared/topics/names.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { AdminError } from '../metadata/admin-error.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { TopicConfigs } from '../metadata/topic-configs.ts';
import type { ApiHandler } from '../request/handler.ts';
import { adminFailure } from './admin-errors.ts';
import { CONFIG_SOURCES, CONFIG_TYPES, RESOURCE_TYPE } from './config-codes.ts';

type Request = RequestOf<typeof DescribeConfigs>;
type Resource = Request['resources'][number];
type Result = ResponseInput<typeof DescribeConfigs>['results'][number];
type Entry = Result['configs'][number];

export interface DescribeConfigsParts {
  readonly brokerId: number;
  readonly config: BrokerConfig;
  readonly topicConfigs: TopicConfigs;
  readonly metadata: MetadataCache;
}

/** Tells the settings of topics (any broker can) and of this broker, each with where its value comes from (KIP-226). */
export function describeConfigsHandler(parts: DescribeConfigsParts): ApiHandler<typeof DescribeConfigs> {
  return {
    api: DescribeConfigs,
    versions: DescribeConfigs.versions,
    handle: request => ({ throttleTimeMs: 0, results: request.resources.map(r => describe(parts, r, request)) }),
  };
}

function describe(parts: DescribeConfigsParts, resource: Resource, request: Request): Result {
  const { resourceType, resourceName, configurationKeys } = resource;
  try {
    const wanted = configurationKeys === null ? null : new Set(configurationKeys);
    const configs = entriesOf(parts, resource)
      .filter(entry => wanted?.has(entry.name) ?? true)
      .map(entry => wireEntry(entry, resourceType === RESOURCE_TYPE.topic ? 1 : 4, request));
    return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName, configs };
  } catch (error) {
    const { code, message } = adminFailure(error);
    return { errorCode: code, errorMessage: message, resourceType, resourceName, configs: [] };
  }
}

function entriesOf(parts: DescribeConfigsParts, { resourceType, resourceName }: Resource): ConfigDescription[] {
  switch (resourceType) {
    case RESOURCE_TYPE.topic: {
      const problem = topicNameProblem(resourceName);
      if (problem !== null) throw new AdminError(ErrorCode.INVALID_TOPIC_EXCEPTION, problem);
      if (!parts.metadata.hasTopic(resourceName)) {
        throw new AdminError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic '${resourceName}' does not exist.`);
      }
      return parts.topicConfigs.describe(parts.topicConfigs.overrides(resourceName));
    }
    case RESOURCE_TYPE.broker:
      if (resourceName === '') return parts.config.clusterEntries();
      if (resourceName === String(parts.brokerId)) return parts.config.entries();
      throw new AdminError(
        ErrorCode.INVALID_REQUEST,
        `Broker ${resourceName} was asked for, but this is broker ${parts.brokerId}: each broker describes only itself.`,
      );
    default:
      throw new AdminError(
        ErrorCode.INVALID_REQUEST,
        `Resource type ${resourceType} has no settings here; 2 (topic) and 4 (broker) have.`,
      );
  }
}

/** @param ownSource code of what counts as "set" in version 0, which knows only defaults and the rest */
function wireEntry(entry: ConfigDescription, ownSource: number, request: Request): Entry {
  const source = CONFIG_SOURCES[entry.source];
  return {
    name: entry.name,
    value: entry.value,
    readOnly: entry.readOnly,
    isDefault: source > ownSource,
    configSource: source,
    isSensitive: entry.sensitive,
    synonyms: request.includeSynonyms
      ? entry.synonyms.map(synonym => ({ ...synonym, source: CONFIG_SOURCES[synonym.source] }))
      : [],
    configType: entry.type === null ? 0 : CONFIG_TYPES[entry.type],
    documentation: request.includeDocumentation ? entry.doc : null,
  };
}
