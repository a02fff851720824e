import type { ConfigEntry, ConfigResource } from '../../client/index.ts';

/** The line above the settings of a topic or broker. */
export function configsHeader({ type, name }: ConfigResource, all: boolean): string {
  if (name === '') return 'Default configs for brokers in the cluster are:';
  return `${all ? 'All' : 'Dynamic'} configs for ${type} ${name} are:`;
}

/** One setting with where it comes from, highest precedence first. */
export function configLine({ name, value, isSensitive, synonyms }: ConfigEntry): string {
  const sources = synonyms.map(synonym => `${synonym.source}:${synonym.name}=${synonym.value ?? 'null'}`).join(', ');
  return `  ${name}=${value ?? 'null'} sensitive=${isSensitive} synonyms={${sources}}`;
}

export function configsUpdated({ type, name }: ConfigResource): string {
  return name === ''
    ? 'Completed updating default config for brokers in the cluster.'
    : `Completed updating config for ${type} ${name}.`;
}
