import type { ConsumerRecord, ProducerRecord } from '../../../client/index.ts';
import { HttpError } from '../http-error.ts';

/** Bytes as JSON shows them: text as a string, anything else as base64. */
export type JsonBytes = string | { readonly base64: string } | null;

/** A record as the read paths show it. */
export interface JsonRecord {
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  readonly key: JsonBytes;
  readonly value: unknown;
  readonly headers: readonly { readonly name: string; readonly value: JsonBytes }[];
}

const FIELDS = ['key', 'value', 'partition', 'headers', 'timestamp'];

/**
 * Reads a record to produce: `{"value": …, "key": …, "partition": n, "headers": {…}, "timestamp": ms}`, all optional.
 * A string is sent as UTF-8, `{"base64": "…"}` as those bytes, null as null, and any other JSON as its text.
 * @throws HttpError 400 naming the field
 */
export function recordFromJson(topic: string, json: unknown): ProducerRecord {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new HttpError(400, `A record is a JSON object with ${FIELDS.join(', ')}, all optional.`);
  }
  const record = json as Record<string, unknown>;
  const unknown = Object.keys(record).find(field => !FIELDS.includes(field));
  if (unknown !== undefined) throw new HttpError(400, `A record has no field ${unknown}; it has ${FIELDS.join(', ')}.`);
  return {
    topic,
    key: bytesFromJson('key', record.key ?? null),
    value: bytesFromJson('value', record.value ?? null),
    headers: headersFromJson(record.headers),
    ...integerField('partition', record.partition),
    ...integerField('timestamp', record.timestamp),
  };
}

function integerField<K extends string>(name: K, value: unknown): { [P in K]?: number } {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new HttpError(400, `${name} must be an integer from 0 on.`);
  }
  return { [name]: value } as { [P in K]: number };
}

function bytesFromJson(name: string, value: unknown): Buffer | string | null {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'object' && Object.keys(value).join() === 'base64') {
    const { base64 } = value as { base64: unknown };
    if (typeof base64 !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
      throw new HttpError(400, `${name}.base64 must be base64.`);
    return Buffer.from(base64, 'base64');
  }
  return JSON.stringify(value);
}

function headersFromJson(headers: unknown): { key: string; value: Buffer | string | null }[] {
  if (headers === undefined || headers === null) return [];
  if (Array.isArray(headers)) {
    return headers.map((header: unknown) => {
      const { name, value } = (header ?? {}) as { name?: unknown; value?: unknown };
      if (typeof name !== 'string')
        throw new HttpError(400, 'headers must be an object, or a list of {"name", "value"}.');
      return { key: name, value: bytesFromJson(`headers.${name}`, value ?? null) };
    });
  }
  if (typeof headers !== 'object')
    throw new HttpError(400, 'headers must be an object, or a list of {"name", "value"}.');
  return Object.entries(headers).map(([key, value]) => ({ key, value: bytesFromJson(`headers.${key}`, value) }));
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function bytesToJson(bytes: Buffer | null): JsonBytes {
  if (bytes === null) return null;
  try {
    return utf8.decode(bytes);
  } catch {
    return { base64: bytes.toString('base64') };
  }
}

/** @param parseValues whether values that are JSON text are shown as that JSON instead of as a string */
export function recordToJson(record: ConsumerRecord, parseValues: boolean): JsonRecord {
  const { partition, offset, timestamp, headers } = record;
  const value = bytesToJson(record.value);
  return {
    partition,
    offset,
    timestamp,
    key: bytesToJson(record.key),
    value: parseValues && typeof value === 'string' ? parsedOr(value) : value,
    headers: headers.map(header => ({ name: header.key, value: bytesToJson(header.value) })),
  };
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
