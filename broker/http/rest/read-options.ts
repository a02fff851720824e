import { HttpError } from '../http-error.ts';

/** What `GET …/records` asks for. */
export interface ReadOptions {
  readonly topic: string;
  readonly partition: number;
  readonly start: number | 'earliest' | 'latest' | { readonly timestampMs: number };
  readonly limit: number;
  readonly waitMs: number;
  readonly maxBytes: number;
  readonly parseValues: boolean;
  readonly isolation: Isolation;
}

/** Which records are read: all, or only those that no open or aborted transaction has written. */
export type Isolation = (typeof ISOLATIONS)[number];
export const ISOLATIONS = ['read_uncommitted', 'read_committed'] as const;

export const MAX_LIMIT = 10_000;
export const MAX_WAIT_MS = 60_000;
export const MAX_BYTES = 8 << 20;

export type Query = Readonly<Record<string, unknown>>;

/** @throws HttpError 400 naming the parameter and what is allowed */
export function readOptions(
  topic: string,
  partition: string,
  query: Query,
  lastEventId: string | undefined,
): ReadOptions {
  return {
    topic,
    partition: integer('partition', partition, 0, 2 ** 31 - 1),
    start: afterEvent(lastEventId) ?? start(query.offset),
    limit: integer('limit', query.limit ?? '100', 1, MAX_LIMIT),
    waitMs: integer('wait_ms', query.wait_ms ?? '0', 0, MAX_WAIT_MS),
    maxBytes: integer('max_bytes', query.max_bytes ?? String(1 << 20), 1, MAX_BYTES),
    parseValues: flag('json', query.json),
    isolation: isolationOf(query.isolation),
  };
}

/** @throws HttpError 400 */
export function isolationOf(text: unknown): Isolation {
  const found = ISOLATIONS.find(each => each === (text ?? ISOLATIONS[0]));
  if (found !== undefined) return found;
  throw new HttpError(400, `isolation must be ${ISOLATIONS.join(' or ')}.`);
}

/** @throws HttpError 400 */
export function integer(name: string, text: unknown, min: number, max: number): number {
  const value = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) throw new HttpError(400, `${name} must be an integer from ${min} to ${max}.`);
  return value;
}

/** @throws HttpError 400 */
export function flag(name: string, text: unknown, absent = false): boolean {
  if (text === undefined) return absent;
  if (text === 'false') return false;
  if (text === 'true' || text === '') return true;
  throw new HttpError(400, `${name} must be true or false.`);
}

function start(text: unknown): ReadOptions['start'] {
  if (text === undefined || text === 'earliest') return 'earliest';
  if (text === 'latest') return 'latest';
  if (typeof text === 'string') {
    const time = /^timestamp:(\d{1,15})$/.exec(text)?.[1];
    if (time !== undefined) return { timestampMs: Number(time) };
    if (/^\d{1,15}$/.test(text)) return Number(text);
  }
  throw new HttpError(400, 'offset must be a number, earliest, latest, or timestamp:<milliseconds>.');
}

/** A browser that reconnects says which event it saw last (`partition:offset`): it goes on behind that. */
function afterEvent(id: string | undefined): number | null {
  const offset = /^\d+:(\d{1,15})$/.exec(id ?? '')?.[1];
  return offset === undefined ? null : Number(offset) + 1;
}
