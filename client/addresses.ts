import type { Address } from '../shared/connection/connection.ts';
import { ErrorCode } from '../shared/protocol/errors.ts';
import { KafkaError } from './errors.ts';

/** Parses `host:port,[v6]:port,…`. @throws KafkaError INVALID_CONFIG naming the part that is wrong */
export function parseAddresses(list: string): Address[] {
  const parts = list
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');
  if (parts.length === 0) {
    throw new KafkaError(
      ErrorCode.INVALID_CONFIG,
      'bootstrap.servers is empty: it takes host:port addresses separated by commas.',
    );
  }
  return parts.map(part => {
    const match = /^(?:[A-Za-z_]+:\/\/)?(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(part);
    const port = Number(match?.[3]);
    if (match === null || port < 1 || port > 65_535) {
      throw new KafkaError(
        ErrorCode.INVALID_CONFIG,
        `Invalid address ${part} in bootstrap.servers: it takes host:port, with a port from 1 to 65535.`,
      );
    }
    return { host: match[1] ?? match[2]!, port };
  });
}
