import type { ConfigChange, ConfigEntry, ConfigResource } from '../../../../client/index.ts';
import { json, NO_CONTENT, shows } from './answers.ts';
import { collection, noContent, resource, type V3Call, type V3Route } from './call.ts';
import { notFound } from './errors.ts';
import { ALTER_CONFIGS, CONFIG_VALUE } from './schemas.ts';

const tag = 'Configs (v3)';

/** A body as `ALTER_CONFIGS` describes it. */
interface AlterConfigs {
  readonly data: readonly {
    readonly name: string;
    readonly value?: string | null;
    readonly operation?: 'SET' | 'DELETE' | null;
  }[];
  readonly validate_only?: boolean | null;
}

/** Where settings belong to, as it is shown. */
export interface ConfigOwner {
  readonly resource: ConfigResource;
  readonly kind: string;
  /** Path below the cluster, and the name's parts, of all settings of this owner. */
  readonly self: readonly (string | number)[];
  readonly crn: readonly string[];
  /** What begins the last part of a setting's name. */
  readonly crnKey: string;
  /** What says whose the setting is: `{topic_name: …}`. */
  readonly place: Readonly<Record<string, unknown>>;
}

/** One of the three kinds of owners, as its rows in the table need it. */
interface ConfigRows {
  readonly path: string;
  /** As Confluent's ids have it: KafkaTopicConfig. */
  readonly thing: string;
  readonly schema: string;
  /** Whose settings, in a sentence. */
  readonly whose: string;
  /** Whether a setting must be there to be changed: those of all brokers are listed only once they are set. */
  readonly listsAll: boolean;
  readonly example: object;
  readonly owner: (call: V3Call) => ConfigOwner | Promise<ConfigOwner>;
}

/** The rows that topics, brokers and the cluster have in common. */
export function configRoutes({ path, thing, schema, whose, listsAll, example, owner }: ConfigRows): V3Route[] {
  return [
    {
      method: 'GET',
      path,
      id: `list${thing}s`,
      tag,
      summary: `Lists the settings ${whose}`,
      answers: shows(`${schema}List`, 'The settings.'),
      handler: async call => configList(call, await owner(call)),
    },
    {
      method: 'POST',
      path: `${path}:alter`,
      id: `update${thing}Batch`,
      tag,
      summary: `Sets or resets settings ${whose}, all or none; with \`validate_only\` checks whether it could be done`,
      body: json(ALTER_CONFIGS, example),
      answers: NO_CONTENT,
      handler: async call => alter(call, await owner(call), listsAll),
    },
    {
      method: 'GET',
      path: `${path}/{name}`,
      id: `get${thing}`,
      tag,
      summary: `Shows a setting ${whose}`,
      answers: shows(schema, 'The setting.'),
      handler: async call => {
        const of = await owner(call);
        return config(call, of, await settingOf(call, of));
      },
    },
    {
      method: 'PUT',
      path: `${path}/{name}`,
      id: `update${thing}`,
      tag,
      summary: `Sets a setting ${whose}`,
      body: json(CONFIG_VALUE, { value: 'gzip' }),
      answers: NO_CONTENT,
      handler: async call => {
        const { value } = await call.body<{ value: string | null }>(CONFIG_VALUE);
        return change(call, await owner(call), listsAll, set(call.text('name'), value));
      },
    },
    {
      method: 'DELETE',
      path: `${path}/{name}`,
      id: `delete${thing}`,
      tag,
      summary: `Resets a setting ${whose} to its default`,
      answers: NO_CONTENT,
      handler: async call =>
        change(call, await owner(call), listsAll, { name: call.text('name'), operation: 'delete' }),
    },
  ];
}

export async function configList(call: V3Call, owner: ConfigOwner) {
  const [entries] = await call.admin.describeConfigs([owner.resource]);
  const shown = entries!.map(entry => config(call, owner, entry));
  return collection(`${owner.kind}List`, call.url(...owner.self), shown);
}

export function config(call: V3Call, { kind, self, crn, crnKey, place }: ConfigOwner, entry: ConfigEntry) {
  const { name, value, source, isReadOnly, isSensitive, synonyms } = entry;
  return {
    ...resource(call, kind, [...self, name], [...crn, `${crnKey}=${name}`]),
    ...place,
    name,
    value,
    is_default: source === 'DEFAULT_CONFIG',
    is_read_only: isReadOnly,
    is_sensitive: isSensitive,
    source,
    synonyms,
  };
}

async function settingOf(call: V3Call, owner: ConfigOwner): Promise<ConfigEntry> {
  const name = call.text('name');
  const [entries] = await call.admin.describeConfigs([owner.resource]);
  const found = entries!.find(entry => entry.name === name);
  if (found === undefined) throw unknownConfig(call, owner, name);
  return found;
}

async function alter(call: V3Call, owner: ConfigOwner, listsAll: boolean) {
  const { data, validate_only } = await call.body<AlterConfigs>(ALTER_CONFIGS);
  const changes = data.map(({ name, value = null, operation }) =>
    operation === 'DELETE' ? { name, operation: 'delete' as const } : set(name, value),
  );
  await apply(call, owner, listsAll, changes, validate_only ?? false);
  return noContent(call);
}

async function change(call: V3Call, owner: ConfigOwner, listsAll: boolean, wanted: ConfigChange) {
  await apply(call, owner, listsAll, [wanted], false);
  return noContent(call);
}

/** A value of null goes to the broker as it is, which says what is wrong with it. */
function set(name: string, value: string | null): ConfigChange {
  return { name, operation: 'set', ...(value === null ? {} : { value }) };
}

async function apply(
  call: V3Call,
  owner: ConfigOwner,
  listsAll: boolean,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
): Promise<void> {
  if (listsAll) {
    const [entries] = await call.admin.describeConfigs([owner.resource], false);
    const known = new Set(entries!.map(({ name }) => name));
    const unknown = changes.find(({ name }) => !known.has(name));
    if (unknown !== undefined) throw unknownConfig(call, owner, unknown.name);
  }
  await call.admin.alterConfigs(owner.resource, changes, { validateOnly });
}

function unknownConfig(call: V3Call, { resource: { type, name: of } }: ConfigOwner, name: string) {
  const whose = of === '' ? 'all brokers' : `${type.toUpperCase()} ${of}`;
  return notFound(`Config ${name} cannot be found for ${whose} in cluster ${call.clusterId}.`);
}
