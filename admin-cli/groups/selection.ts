import type { Admin, GroupDescription } from '../../client/index.ts';
import type { GroupsOptions } from './options.ts';

/** What has members that consume, or never had any: nothing else is a group to this tool. */
export function isOfConsumers({ protocolType }: { readonly protocolType: string }): boolean {
  return protocolType === 'consumer' || protocolType === '';
}

/** The groups that were named, each once, or all. */
export async function selectedGroups(admin: Admin, { group, allGroups }: GroupsOptions): Promise<string[]> {
  if (allGroups !== true) return [...new Set(group)];
  return (await admin.listGroups()).filter(isOfConsumers).map(({ groupId }) => groupId);
}

/** The values of outcomes. @throws the first error */
export function valuesOf<T>(outcomes: readonly PromiseSettledResult<T>[]): T[] {
  return outcomes.map(outcome => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

/** The groups, by id. @throws KafkaError; Error for a group whose members are no consumers */
export async function describedGroups(admin: Admin, groupIds: readonly string[]): Promise<GroupDescription[]> {
  const groups = valuesOf(await admin.describeGroups(groupIds));
  const stranger = groups.find(group => !isOfConsumers(group));
  if (stranger !== undefined)
    throw new Error(`GroupId ${stranger.groupId} is not a consumer group (${stranger.protocolType}).`);
  return groups.sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
}
