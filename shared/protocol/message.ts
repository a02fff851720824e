import { compileDecoder, compileEncoder, type Decode, type Encode } from './compile.ts';
import { fromJson, toJson, type Json } from './json.ts';
import { ProtocolError } from './errors.ts';
import { Reader } from './reader.ts';
import type { Decoded, Encodable, Fields } from './schema.ts';
import { Writer } from './writer.ts';

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** A message in all its versions. `Out` is what decoding yields, `In` what encoding takes. */
export interface Message<Out = unknown, In = unknown> {
  readonly name: string;
  readonly versions: VersionRange;
  /** First version with compact lengths and tagged fields; null if there is none. */
  readonly flexibleSince: number | null;
  readonly fields: Fields;
  /**
   * Decodes the whole rest of `buffer` from `offset` on. Bytes and records are views of it.
   * @throws ProtocolError naming the field that was wrong
   */
  decode(buffer: Buffer, version: number, offset?: number): Out;
  /**
   * Encodes into a list of chunks; records from 1 KiB on are passed through as they are.
   * @throws ProtocolError for a value that is not of its field's type, or that the version cannot carry
   */
  encode(value: In, version: number): Buffer[];
  /** Bytes that encoding takes. @throws ProtocolError as `encode` does */
  encodedSize(value: In, version: number): number;
  /** The JSON form: names as in the table, bytes as base64. */
  toJson(value: In, version: number): Json;
  /** @throws ProtocolError naming the path of what was missing, unknown or of the wrong type */
  fromJson(json: unknown, version: number): Out;
}

export type DecodedOf<M> = M extends Message<infer O> ? O : never;
export type InputOf<M> = M extends Message<unknown, infer I> ? I : never;

export interface MessageOptions {
  readonly name: string;
  readonly versions: VersionRange;
  readonly flexibleSince: number | null;
  /** Bytes after the last field are ignored instead of refused (ApiVersions requests, as in Kafka). */
  readonly toleratesTrailing?: true;
}

/** Makes a message from its table. Codecs are compiled on first use of a version. */
export function message<const F extends Fields>(options: MessageOptions, fields: F): Message<Decoded<F>, Encodable<F>> {
  const { name, versions, flexibleSince } = options;
  const decoders: Decode[] = [];
  const encoders: Encode[] = [];
  const isFlexible = (version: number) => flexibleSince !== null && version >= flexibleSince;
  const check = (version: number) => {
    if (version >= versions.min && version <= versions.max) return;
    throw new ProtocolError(`${name}: there is no version ${version}, only ${versions.min} to ${versions.max}`);
  };
  const write = (value: Encodable<F>, version: number): Writer => {
    check(version);
    const encode = (encoders[version] ??= compileEncoder(fields, version, isFlexible(version)));
    const writer = new Writer(`${name} v${version}`);
    encode(writer, value);
    return writer;
  };
  return {
    name,
    versions,
    flexibleSince,
    fields,
    decode(buffer, version, offset = 0) {
      check(version);
      const decode = (decoders[version] ??= compileDecoder(fields, version, isFlexible(version)));
      const reader = new Reader(buffer, offset, `${name} v${version}`);
      const value = decode(reader) as Decoded<F>;
      if (reader.remaining > 0 && options.toleratesTrailing !== true)
        reader.fail('', `${reader.remaining} bytes follow the last field`);
      return value;
    },
    encode: (value, version) => write(value, version).finish(),
    encodedSize: (value, version) => write(value, version).size,
    toJson(value, version) {
      check(version);
      return toJson(fields, value, version, name);
    },
    fromJson(json, version) {
      check(version);
      return fromJson(fields, json, version, name) as Decoded<F>;
    },
  };
}
