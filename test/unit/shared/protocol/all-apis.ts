import { readdirSync } from 'node:fs';
import type { Api } from '../../../../shared/protocol/api.ts';
import type { Message } from '../../../../shared/protocol/message.ts';

const directory = new URL('../../../../shared/protocol/messages/', import.meta.url);

function isApi(value: unknown): value is Api {
  return typeof value === 'object' && value !== null && 'request' in value && 'response' in value;
}

/** Every API that has a table, found by looking: a new one is tested without being listed anywhere. */
export const allApis: readonly Api[] = (
  await Promise.all(
    readdirSync(directory).map(async file => {
      const module = (await import(new URL(file, directory).href)) as Record<string, unknown>;
      return Object.values(module).filter(isApi);
    }),
  )
).flat();

/** All their messages in all their versions. */
export const allVersions: readonly { message: Message; version: number }[] = allApis
  .flatMap(api => [api.request, api.response])
  .flatMap(message =>
    Array.from({ length: message.versions.max - message.versions.min + 1 }, (_, i) => ({
      message,
      version: message.versions.min + i,
    })),
  );
