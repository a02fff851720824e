import { performServerHandshake } from 'node:http2';
import { PassThrough } from 'node:stream';
import { queryObjects } from 'node:v8';

/** How many HTTP/2 sessions of servers this process still holds, after a garbage collection. */
export function serverSessions(): number {
  const example = performServerHandshake(new PassThrough());
  const count = queryObjects(example.constructor, { format: 'count' }) - 1;
  example.destroy();
  return count;
}
