import { Admin } from '../admin/admin.ts';
import type { ClientSettings } from '../config.ts';
import { build, type ClientParts } from './parts.ts';

/** Makes an admin client from classic settings. @throws KafkaError for a bad setting */
export function createAdmin(settings: ClientSettings, parts: ClientParts = {}): Admin {
  const { config, cluster } = build('admin', settings, parts);
  return new Admin(cluster, {
    requestTimeoutMs: config['request.timeout.ms'],
    defaultApiTimeoutMs: config['default.api.timeout.ms'],
  });
}
