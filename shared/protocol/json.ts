import { ProtocolError } from './errors.ts';
import { isPresent, type Field, type Fields, type Records } from './schema.ts';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Values of decoded messages in JSON: fields of this version only, bytes as base64, exact 64-bit numbers as text. */
export function toJson(fields: Fields, value: Record<string, unknown>, version: number): Json {
  const json: { [name: string]: Json } = {};
  for (const [name, f] of Object.entries(fields)) if (isPresent(f, version)) json[name] = fieldToJson(f, value[name], version);
  return json;
}

function fieldToJson(f: Field, value: unknown, version: number): Json {
  if (value === null || value === undefined) return null;
  switch (f.kind) {
    case 'array':
      return (value as unknown[]).map(element => fieldToJson(f.element!, element, version));
    case 'struct':
      return toJson(f.fields!, value as Record<string, unknown>, version);
    case 'bytes':
    case 'records':
      return recordsBuffer(value as Records).toString('base64');
    case 'exact64':
      return String(value as bigint);
    default:
      return value as Json;
  }
}

/** The record bytes as one buffer; empty for null. Copies only what is in several pieces. */
export function recordsBuffer(records: Records): Buffer {
  if (records === null) return Buffer.alloc(0);
  if (Buffer.isBuffer(records)) return records;
  return records.length === 1 ? records[0]! : Buffer.concat(records);
}

/** Checks and converts a struct from JSON; what is missing gets its default, if it has one. */
export function fromJson(fields: Fields, json: unknown, version: number, path: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) fail(path, 'must be an object');
  const given = json as Record<string, unknown>;
  for (const name of Object.keys(given)) {
    const f = fields[name];
    if (f === undefined || !isPresent(f, version)) fail(`${path}.${name}`, `is not a field of version ${version}`);
  }
  const value: Record<string, unknown> = {};
  for (const [name, f] of Object.entries(fields)) {
    const here = `${path}.${name}`;
    if (name in given && isPresent(f, version)) value[name] = fieldFromJson(f, given[name], version, here);
    else value[name] = absent(f, version, here);
  }
  return value;
}

function absent(f: Field, version: number, path: string): unknown {
  if (f.kind !== 'struct' || f.default === null) return f.kind === 'array' && f.default !== null ? [] : f.default;
  return fromJson(f.fields!, {}, version, path);
}

function fieldFromJson(f: Field, json: unknown, version: number, path: string): unknown {
  if (json === null) return version >= f.nullable ? null : fail(path, 'may not be null');
  switch (f.kind) {
    case 'array':
      if (!Array.isArray(json)) fail(path, 'must be an array');
      return json.map((element: unknown, i) => fieldFromJson(f.element!, element, version, `${path}[${i}]`));
    case 'struct':
      return fromJson(f.fields!, json, version, path);
    case 'bool':
      return typeof json === 'boolean' ? json : fail(path, 'must be true or false');
    case 'string':
      return typeof json === 'string' ? json : fail(path, 'must be a string');
    case 'uuid':
      return typeof json === 'string' && /^[\w-]{22}$/.test(json) ? json : fail(path, 'must be an id of 22 characters');
    case 'bytes':
    case 'records':
      return bytesFromJson(json, path);
    case 'exact64':
      return exactFromJson(json, path);
    default:
      return numberFromJson(f.kind, json, path);
  }
}

function bytesFromJson(json: unknown, path: string): Buffer {
  if (typeof json !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(json)) fail(path, 'must be base64');
  return Buffer.from(json, 'base64');
}

function exactFromJson(json: unknown, path: string): bigint {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return BigInt(json);
  if (typeof json === 'string' && /^-?\d{1,19}$/.test(json)) return BigInt.asIntN(64, BigInt(json));
  return fail(path, 'must be a 64-bit integer, as text beyond 2^53');
}

const RANGES = {
  int8: [-0x80, 0x7f],
  int16: [-0x8000, 0x7fff],
  uint16: [0, 0xffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint32: [0, 0xffff_ffff],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
} as const;

function numberFromJson(kind: keyof typeof RANGES | 'float64', json: unknown, path: string): number {
  if (typeof json !== 'number') fail(path, 'must be a number');
  if (kind === 'float64') return json;
  const [min, max] = RANGES[kind];
  if (!Number.isInteger(json) || json < min || json > max) fail(path, `must be an integer from ${min} to ${max}`);
  return json;
}

function fail(path: string, reason: string): never {
  throw new ProtocolError(`${path} ${reason}`);
}
