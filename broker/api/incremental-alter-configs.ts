import type { RequestOf } from '../../shared/protocol/api.ts';
import { IncrementalAlterConfigs } from '../../shared/protocol/messages/incremental-alter-configs.ts';
import type { ConfigAlteration, SettingChange } from '../metadata/config-alteration.ts';
import type { LoggerLevels } from '../metadata/logger-levels.ts';
import type { ApiHandler } from '../request/handler.ts';
import { alterResources, invalid } from './config-changes.ts';
import { RESOURCE_TYPE } from './config-codes.ts';

type Resource = RequestOf<typeof IncrementalAlterConfigs>['resources'][number];

/** Operations on the wire, by code (Kafka's AlterConfigOp.OpType). */
const OPERATIONS: readonly SettingChange['operation'][] = ['set', 'delete', 'append', 'subtract'];
const DELETE = OPERATIONS.indexOf('delete');

/** Changes single settings of topics, of this broker and its loggers (KIP-339). Any broker may be asked about a topic. */
export function incrementalAlterConfigsHandler(
  alteration: ConfigAlteration,
  loggers: LoggerLevels,
): ApiHandler<typeof IncrementalAlterConfigs> {
  return {
    api: IncrementalAlterConfigs,
    versions: IncrementalAlterConfigs.versions,
    async handle({ resources, validateOnly }, context) {
      context.park();
      const responses = await alterResources<Resource>(
        resources,
        ({ configOperation }) => configOperation === DELETE,
        resource => alter(resource, validateOnly, alteration, loggers),
      );
      return { throttleTimeMs: 0, responses };
    },
  };
}

function alter(
  resource: Resource,
  validateOnly: boolean,
  alteration: ConfigAlteration,
  loggers: LoggerLevels,
): Promise<void> {
  const { resourceType, resourceName } = resource;
  const changes = changesOf(resource);
  switch (resourceType) {
    case RESOURCE_TYPE.topic:
      return alteration.alterTopic(resourceName, changes, validateOnly);
    case RESOURCE_TYPE.broker:
      return alteration.alterBroker(resourceName, changes, validateOnly);
    case RESOURCE_TYPE.brokerLogger:
      loggers.alter(resourceName, changes, validateOnly);
      return Promise.resolve();
    default:
      throw invalid(
        `Resource type ${resourceType} has no settings here; 2 (topic), 4 (broker) and 8 (broker logger) have.`,
      );
  }
}

function changesOf({ configs }: Resource): SettingChange[] {
  return configs.map(({ name, configOperation, value }) => {
    const operation = OPERATIONS[configOperation];
    if (operation !== undefined) return { name, operation, value };
    throw invalid(`Operation ${configOperation} does not exist; 0 to 3 (set, delete, append, subtract) do.`);
  });
}
