import { assignorsOf } from '../../../../client/consumer/assignors/by-name.ts';
import { HttpError } from '../../http-error.ts';
import type { MemberSettings } from '../clients.ts';
import { flag, integer, isolationOf, MAX_BYTES, type Query } from '../read-options.ts';

/** What `GET /groups/{group}/stream` asks for. */
export interface StreamOptions extends MemberSettings {
  readonly topics: readonly string[];
  /** Records after which the stream ends; Infinity: it does not. */
  readonly limit: number;
  readonly parseValues: boolean;
}

const MAX_TOPICS = 100;
const MAX_INT = 2 ** 31 - 1;
/** Shorter than Kafka's for consumers: what the broker that carries the stream was reading goes on sooner without it. */
export const SESSION_TIMEOUT_MS = 10_000;
export const MAX_POLL_INTERVAL_MS = 300_000;
export const ASSIGNORS = 'range,cooperative-sticky';

/** @throws HttpError 400 naming the parameter and what is allowed */
export function streamOptions(group: string, query: Query): StreamOptions {
  const sessionTimeoutMs = query.session_timeout_ms ?? String(SESSION_TIMEOUT_MS);
  const maxPollIntervalMs = query.max_poll_interval_ms ?? String(MAX_POLL_INTERVAL_MS);
  return {
    group,
    topics: topicNames(query.topics),
    start: startOf(query.start),
    autoCommit: flag('auto_commit', query.auto_commit, true),
    limit: query.limit === undefined ? Infinity : integer('limit', query.limit, 1, MAX_INT),
    maxBytes: integer('max_bytes', query.max_bytes ?? String(1 << 20), 1, MAX_BYTES),
    sessionTimeoutMs: integer('session_timeout_ms', sessionTimeoutMs, 1, MAX_INT),
    maxPollIntervalMs: integer('max_poll_interval_ms', maxPollIntervalMs, 1, MAX_INT),
    assignors: assignorNames(query.assignors),
    parseValues: flag('json', query.json),
    isolation: isolationOf(query.isolation),
  };
}

function topicNames(text: unknown): string[] {
  const names = typeof text === 'string' ? text.split(',').map(name => name.trim()) : [];
  const wanted = [...new Set(names)].filter(name => name !== '');
  if (wanted.length > 0 && wanted.length <= MAX_TOPICS) return wanted;
  throw new HttpError(400, `topics must name from 1 to ${MAX_TOPICS} topics, separated by commas.`);
}

function startOf(text: unknown): 'earliest' | 'latest' {
  if (text === undefined || text === 'latest') return 'latest';
  if (text === 'earliest') return 'earliest';
  throw new HttpError(400, 'start must be earliest or latest.');
}

function assignorNames(text: unknown): string {
  if (text === undefined) return ASSIGNORS;
  try {
    if (typeof text === 'string' && assignorsOf(text).length > 0) return text;
    throw new Error('at least one is wanted.');
  } catch (error) {
    throw new HttpError(400, `assignors: ${(error as Error).message}`);
  }
}
