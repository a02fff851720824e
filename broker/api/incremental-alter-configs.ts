import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { IncrementalAlterConfigs } from '../../shared/protocol/messages/incremental-alter-configs.ts';
import { AdminError } from '../metadata/admin-error.ts';
import type { ConfigAlteration, SettingChange } from '../metadata/config-alteration.ts';
import type { ApiHandler } from '../request/handler.ts';
import { adminFailure, duplicates, SUCCESS } from './admin-errors.ts';
import { RESOURCE_TYPE } from './config-codes.ts';

type Resource = RequestOf<typeof IncrementalAlterConfigs>['resources'][number];
type Result = ResponseInput<typeof IncrementalAlterConfigs>['responses'][number];

/** Operations on the wire, by code (Kafka's AlterConfigOp.OpType). */
const OPERATIONS: readonly SettingChange['operation'][] = ['set', 'delete', 'append', 'subtract'];

/** Changes single settings of topics and of this broker (KIP-339). Any broker may be asked about a topic. */
export function incrementalAlterConfigsHandler(
  alteration: ConfigAlteration,
): ApiHandler<typeof IncrementalAlterConfigs> {
  return {
    api: IncrementalAlterConfigs,
    versions: IncrementalAlterConfigs.versions,
    async handle(request, context) {
      context.park();
      const responses: Result[] = [];
      for (const resource of request.resources) responses.push(await alter(alteration, resource, request.validateOnly));
      return { throttleTimeMs: 0, responses };
    },
  };
}

async function alter(alteration: ConfigAlteration, resource: Resource, validateOnly: boolean): Promise<Result> {
  const { resourceType, resourceName } = resource;
  let failure = SUCCESS;
  try {
    const changes = changesOf(resource);
    if (resourceType === RESOURCE_TYPE.topic) await alteration.alterTopic(resourceName, changes, validateOnly);
    else if (resourceType === RESOURCE_TYPE.broker) await alteration.alterBroker(resourceName, changes, validateOnly);
    else
      throw new AdminError(
        ErrorCode.INVALID_REQUEST,
        `Resource type ${resourceType} has no settings here; 2 (topic) and 4 (broker) have.`,
      );
  } catch (error) {
    failure = adminFailure(error);
  }
  return { errorCode: failure.code, errorMessage: failure.message, resourceType, resourceName };
}

function changesOf({ configs }: Resource): SettingChange[] {
  const [repeated] = duplicates(configs.map(config => config.name));
  if (repeated !== undefined)
    throw new AdminError(ErrorCode.INVALID_REQUEST, `Setting ${repeated} stands in the request more than once.`);
  return configs.map(({ name, configOperation, value }) => {
    const operation = OPERATIONS[configOperation];
    if (operation === undefined) {
      throw new AdminError(
        ErrorCode.INVALID_REQUEST,
        `Operation ${configOperation} does not exist; 0 to 3 (set, delete, append, subtract) do.`,
      );
    }
    return { name, operation, value };
  });
}
