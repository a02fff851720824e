import type { Logger } from '../../../shared/runtime/logger.ts';
import type { RestClients } from './clients.ts';

/** What the REST paths need of the broker. */
export interface RestParts {
  readonly clients: RestClients;
  readonly clusterId: string;
  readonly logger: Logger;
}
