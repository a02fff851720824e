import type { Logger } from '../../../shared/runtime/logger.ts';
import type { RestClients } from './clients.ts';
import type { GroupStreams } from './groups/streams.ts';

/** What the REST paths need of the broker. */
export interface RestParts {
  readonly clients: RestClients;
  readonly streams: GroupStreams;
  readonly clusterId: string;
  readonly logger: Logger;
}
