import { createAdmin } from '../../client/create/admin.ts';
import type { Admin } from '../../client/index.ts';
import { toolLogger } from './logger.ts';
import { clientSettings } from './settings.ts';

/**
 * Makes a tool's admin client; closes it whatever `work` does.
 * @param file properties for the client, or undefined
 * @param defaults what holds where the file says nothing else
 * @param overrides what holds whatever the file says
 */
export async function withAdmin<T>(
  bootstrap: string,
  file: string | undefined,
  work: (admin: Admin) => Promise<T>,
  defaults: Readonly<Record<string, string>> = {},
  overrides: Readonly<Record<string, string>> = {},
): Promise<T> {
  const settings = { ...defaults, ...clientSettings(bootstrap, file, overrides) };
  const admin = createAdmin(settings, { runtime: { logger: toolLogger() } });
  try {
    return await work(admin);
  } finally {
    admin.close();
  }
}
