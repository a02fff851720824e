import type { RequestOf } from '../../shared/protocol/api.ts';
import { AlterConfigs } from '../../shared/protocol/messages/alter-configs.ts';
import type { ConfigAlteration } from '../metadata/config-alteration.ts';
import type { ApiHandler } from '../request/handler.ts';
import { alterResources, invalid } from './config-changes.ts';
import { RESOURCE_TYPE } from './config-codes.ts';

type Resource = RequestOf<typeof AlterConfigs>['resources'][number];

/** Replaces all settings of topics and of this broker by those given; older clients know only this way. */
export function alterConfigsHandler(alteration: ConfigAlteration): ApiHandler<typeof AlterConfigs> {
  return {
    api: AlterConfigs,
    versions: AlterConfigs.versions,
    async handle({ resources, validateOnly }, context) {
      context.park();
      const responses = await alterResources<Resource>(
        resources,
        () => false,
        resource => replace(alteration, resource, validateOnly),
      );
      return { throttleTimeMs: 0, responses };
    },
  };
}

function replace(
  alteration: ConfigAlteration,
  { resourceType, resourceName, configs }: Resource,
  validateOnly: boolean,
): Promise<void> {
  const settings = new Map(configs.map(({ name, value }) => [name, value!]));
  if (resourceType === RESOURCE_TYPE.topic) return alteration.replaceTopic(resourceName, settings, validateOnly);
  if (resourceType === RESOURCE_TYPE.broker) return alteration.replaceBroker(resourceName, settings, validateOnly);
  throw invalid(`AlterConfigs is only supported for topics and brokers, but resource type is ${resourceType}.`);
}
