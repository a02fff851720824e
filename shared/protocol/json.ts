import { ProtocolError } from './errors.ts';
import { defaultOf, isDefault, isPresent, isUuid, type Field, type Fields, type Records } from './schema.ts';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

type Struct = Readonly<Record<string, unknown>>;

/**
 * A struct in JSON: the fields of this version, bytes as base64, 64 bits as a number where that is exact, else as text.
 * @throws ProtocolError for a value that the version cannot carry
 */
export function toJson(fields: Fields, value: Struct, version: number, path: string): Json {
  const json: { [name: string]: Json } = {};
  for (const [name, f] of Object.entries(fields)) {
    const here = `${path}.${name}`;
    const member = value[name] === undefined ? defaultOf(f) : value[name];
    if (isPresent(f, version)) json[name] = fieldToJson(f, member, version, here);
    else if (!f.ignorable && !isDefault(f, member)) fail(here, `cannot be sent in version ${version}`);
  }
  return json;
}

function fieldToJson(f: Field, value: unknown, version: number, path: string): Json {
  if (value === null) return null;
  switch (f.kind) {
    case 'array':
      return (value as unknown[]).map((element, i) => fieldToJson(f.element!, element, version, `${path}[${i}]`));
    case 'struct':
      return toJson(f.fields!, value as Struct, version, path);
    case 'bytes':
    case 'records':
      return recordsBuffer(value as Records).toString('base64');
    case 'exact64': {
      const exact = value as bigint;
      return Number.isSafeInteger(Number(exact)) ? Number(exact) : String(exact);
    }
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

/**
 * Checks and converts a struct from JSON. Fields with a default may be missing.
 * @throws ProtocolError naming the path of what was unknown, missing or of the wrong type
 */
export function fromJson(fields: Fields, json: unknown, version: number, path: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) fail(path, 'must be an object');
  const given = json as Struct;
  for (const name of Object.keys(given)) {
    const known = Object.hasOwn(fields, name) && isPresent(fields[name]!, version);
    if (!known) fail(`${path}.${name}`, `is not a field of version ${version}`);
  }
  const value: Record<string, unknown> = {};
  for (const [name, f] of Object.entries(fields)) {
    const here = `${path}.${name}`;
    if (Object.hasOwn(given, name)) value[name] = fieldFromJson(f, given[name], version, here);
    else value[name] = isPresent(f, version) && !f.optional ? fail(here, 'is missing') : defaultOf(f);
  }
  return value;
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
      return typeof json === 'string' && isUuid(json) ? json : fail(path, 'must be an id of 22 characters');
    case 'bytes':
    case 'records':
      return bytesFromJson(json, path);
    case 'exact64':
      return exactFromJson(json, path);
    case 'int64':
      return typeof json === 'string' ? saturated(exactFromJson(json, path)) : numberFromJson('int64', json, path);
    default:
      return numberFromJson(f.kind, json, path);
  }
}

function bytesFromJson(json: unknown, path: string): Buffer {
  if (typeof json !== 'string' || json.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(json)) {
    fail(path, 'must be base64');
  }
  return Buffer.from(json, 'base64');
}

function exactFromJson(json: unknown, path: string): bigint {
  if (Number.isSafeInteger(json)) return BigInt(json as number);
  if (typeof json === 'string' && /^-?\d{1,19}$/.test(json)) {
    const exact = BigInt(json);
    if (BigInt.asIntN(64, exact) === exact) return exact;
  }
  return fail(path, 'must be a 64-bit integer, as text beyond 2^53');
}

/** The nearest number that is exact, as the binary codec has it. */
function saturated(exact: bigint): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(exact)));
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
