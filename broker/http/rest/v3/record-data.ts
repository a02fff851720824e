import type { ProducerRecord } from '../../../../client/index.ts';
import { HttpError } from '../../http-error.ts';
import { problemOf } from '../../openapi/schema.ts';
import { PRODUCE } from './schemas.ts';

/** A key or a value as a request brings it. */
interface Data {
  readonly type?: string | null;
  readonly data?: unknown;
}

/** A record as a request brings it, once `PRODUCE` holds of it. */
interface V3Record {
  readonly partition_id?: number | null;
  readonly headers?: readonly { readonly name: string; readonly value?: string | null }[] | null;
  readonly key?: Data | null;
  readonly value?: Data | null;
  readonly timestamp?: string | null;
}

/** What a report tells of a key or a value: its type, and its size in bytes. */
interface Sent {
  readonly size: number;
  readonly type: string;
}

export interface PreparedRecord {
  readonly record: ProducerRecord;
  readonly key: Sent | null;
  readonly value: Sent | null;
}

/**
 * Makes a record of its JSON form. Without a schema registry a type is needed wherever there are data.
 * @throws HttpError naming the field: 400, 404 for a partition below 0, 42207 for what only a schema registry could encode
 */
export function recordFromV3(topic: string, json: unknown): PreparedRecord {
  const problem = problemOf(PRODUCE, json, 'The record');
  if (problem !== null) throw new HttpError(400, problem);
  const { headers, key, value, ...rest } = json as V3Record;
  const [partition, timestamp] = [rest.partition_id ?? null, rest.timestamp ?? null];
  if (partition !== null && partition < 0) throw new HttpError(404, 'Partition not found.', 40402);
  const keyBytes = bytesOf('key', key);
  const valueBytes = bytesOf('value', value);
  return {
    record: {
      topic,
      key: keyBytes,
      value: valueBytes,
      headers: (headers ?? []).map(header => ({ key: header.name, value: headerBytes(header) })),
      ...(partition === null ? {} : { partition }),
      ...(timestamp === null ? {} : { timestamp: millisecondsOf(timestamp) }),
    },
    key: sent(key, keyBytes),
    value: sent(value, valueBytes),
  };
}

function sent(data: Data | null | undefined, bytes: Buffer | null): Sent | null {
  const type = data?.type ?? null;
  return type === null ? null : { size: bytes?.length ?? 0, type };
}

function bytesOf(name: string, data: Data | null | undefined): Buffer | null {
  const content = data?.data ?? null;
  if (content === null) return null;
  switch (data?.type) {
    case 'BINARY':
      return base64(content);
    case 'JSON':
      return Buffer.from(JSON.stringify(content));
    case 'STRING':
      if (typeof content === 'string') return Buffer.from(content);
      throw new HttpError(400, `Bad Request: data=${shown(content)} is not a string.`);
    default:
      throw new HttpError(
        422,
        `Error serializing message. ${name}.type must be BINARY, JSON or STRING: there is no schema registry here.`,
        42207,
      );
  }
}

function headerBytes({ value }: { readonly value?: string | null }): Buffer | null {
  return value === undefined || value === null ? null : base64(value);
}

function base64(data: unknown): Buffer {
  if (typeof data === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(data) && data.length % 4 === 0) {
    return Buffer.from(data, 'base64');
  }
  throw new HttpError(400, `Bad Request: data=${shown(data)} is not a base64 string.`);
}

/** A value in a sentence: the beginning tells enough. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

function millisecondsOf(timestamp: string): number {
  const milliseconds = INSTANT.test(timestamp) ? Date.parse(timestamp) : NaN;
  if (milliseconds >= 0) return milliseconds;
  throw new HttpError(
    400,
    `timestamp must be a time from 1970 on, such as 2021-02-05T19:14:42Z, not ${shown(timestamp)}.`,
  );
}
