import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { DescribeConfigs } from '../../shared/protocol/messages/describe-configs.ts';
import type { ConfigDescription } from '../../shared/config/description.ts';
import { topicNameProblem } from '../../shared/topics/names.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { AdminError } from '../metadata/admin-error.ts';
import type { LoggerLevels } from '../metadata/logger-levels.ts';
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
  readonly loggers: LoggerLevels;
}

/** Codes of what counts as "set" in version 0, which knows only defaults and the rest, by resource type. */
const OWN_SOURCES: Readonly<Record<number, number>> = {
  [RESOURCE_TYPE.topic]: CONFIG_SOURCES.DYNAMIC_TOPIC_CONFIG,
  [RESOURCE_TYPE.broker]: CONFIG_SOURCES.STATIC_BROKER_CONFIG,
  [RESOURCE_TYPE.brokerLogger]: CONFIG_SOURCES.DYNAMIC_BROKER_LOGGER_CONFIG,
};

/** Tells the settings of topics (any broker can) and of this broker and its loggers, each with where its value comes from (KIP-226). */
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
      .map(entry => wireEntry(entry, OWN_SOURCES[resourceType]!, request));
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
    case RESOURCE_TYPE.brokerLogger:
      return parts.loggers.describe(resourceName);
    default:
      throw new AdminError(
        ErrorCode.INVALID_REQUEST,
        `Resource type ${resourceType} has no settings here; 2 (topic), 4 (broker) and 8 (broker logger) have.`,
      );
  }
}

/** @param ownSource of `OWN_SOURCES` */
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
