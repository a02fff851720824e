/**
 * The language in which messages are written down: one table of fields a message covers all its versions. From a table
 * come the binary codec (compile.ts), the JSON form (json.ts) and, by inference, the TypeScript types.
 */

/** Record batches as they travel: one buffer, or the pieces of one, never copied by the codec. */
export type Records = Buffer | readonly Buffer[] | null;

export type FieldKind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'exact64'
  | 'float64'
  | 'string'
  | 'bytes'
  | 'records'
  | 'uuid'
  | 'array'
  | 'struct';

export interface FieldOptions<T = number | bigint | string | boolean> {
  /** First version that has the field. */
  readonly since?: number;
  /** Last version that has it. */
  readonly until?: number;
  /** First version in which it may be null. */
  readonly nullable?: number;
  /** Number in the tagged section, for fields that live there. */
  readonly tag?: number;
  /** Value where it is absent; without it zero, false, empty or null as the type has it. */
  readonly default?: T | null;
  /** Whether a value may be dropped silently when a version without the field is written. */
  readonly ignorable?: true;
}

/** A field of a table. `Out` is what decoding yields, `In` what encoding takes, `Optional` whether `In` may lack it. */
export interface Field<Out = unknown, In = unknown, Optional extends boolean = boolean> {
  readonly kind: FieldKind;
  readonly since: number;
  readonly until: number;
  readonly nullable: number;
  readonly tag: number | null;
  readonly default: unknown;
  readonly ignorable: boolean;
  /** Whether a value for encoding may lack it; the run-time side of `Optional`. */
  readonly optional: boolean;
  /** Element of an array. */
  readonly element: Field | null;
  /** Members of a struct. */
  readonly fields: Fields | null;
  /** Carries the types; never there at run time. */
  readonly types?: { readonly out: Out; readonly in: In; readonly optional: Optional };
}

export type Fields = Readonly<Record<string, Field>>;

type Out<F> = F extends Field<infer O> ? O : never;
type In<F> = F extends Field<unknown, infer I> ? I : never;
type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<unknown, unknown, true> ? K : never;
}[keyof F];

/** What decoding a struct yields: every field, whatever the version. */
export type Decoded<F extends Fields> = { [K in keyof F]: Out<F[K]> };
/** What encoding a struct takes: fields with a default, or that not all versions have, may be left out. */
export type Encodable<F extends Fields> = { [K in Exclude<keyof F, OptionalKeys<F>>]: In<F[K]> } & {
  [K in OptionalKeys<F>]?: In<F[K]> | undefined;
};

type IsOptional<O> = O extends { since: number } | { until: number } | { default: unknown } | { tag: number }
  ? true
  : false;
type Nullable<T, O> = O extends { nullable: number } ? T | null : T;
type Scalar<T, O> = Field<Nullable<T, O>, Nullable<T, O>, IsOptional<O>>;

function field(
  kind: FieldKind,
  options: FieldOptions<unknown> | undefined,
  zero: unknown,
  element: Field | null = null,
  fields: Fields | null = null,
): Field {
  return {
    kind,
    since: options?.since ?? 0,
    until: options?.until ?? Infinity,
    nullable: options?.nullable ?? Infinity,
    tag: options?.tag ?? null,
    default: options?.default === undefined ? zero : options.default,
    ignorable: options?.ignorable ?? false,
    optional: [options?.since, options?.until, options?.default, options?.tag].some(given => given !== undefined),
    element,
    fields,
  };
}

function scalar<T>(kind: FieldKind, zero: T) {
  return <const O extends FieldOptions<T>>(options?: O): Scalar<T, O> => field(kind, options, zero) as Scalar<T, O>;
}

/** Whether this is the text form of a 16-byte id; the last character carries 2 bits only. */
export function isUuid(text: string): boolean {
  return /^[\w-]{21}[AQgw]$/.test(text);
}

/** The id that stands for "no id". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

export const bool = scalar<boolean>('bool', false);
export const int8 = scalar<number>('int8', 0);
export const int16 = scalar<number>('int16', 0);
export const uint16 = scalar<number>('uint16', 0);
export const int32 = scalar<number>('int32', 0);
export const uint32 = scalar<number>('uint32', 0);
/** 64 bits as a number: beyond ±(2^53 − 1) it saturates, which makes an absurd offset out of range instead of malformed. */
export const int64 = scalar<number>('int64', 0);
/** 64 bits exactly, for what is compared for equality: broker epochs. */
export const exact64 = scalar<bigint>('exact64', 0n);
export const float64 = scalar<number>('float64', 0);
export const string = scalar<string>('string', '');
/** Decoded as a view of the received buffer. */
export const bytes = scalar<Buffer>('bytes', Buffer.alloc(0));
/** A 16-byte id in its text form: 22 characters of URL-safe base64. */
export const uuid = scalar<string>('uuid', ZERO_UUID);

/** Record batches: a view of the received buffer; always nullable in practice, hence in type. */
export function records<const O extends FieldOptions>(options?: O): Field<Records, Records, IsOptional<O>> {
  return field('records', { nullable: 0, ...options }, null) as Field<Records, Records, IsOptional<O>>;
}

/** A struct in place; omitted, it has its members' defaults. */
export function struct<const F extends Fields, const O extends FieldOptions>(
  fields: F,
  options?: O,
): Field<Nullable<Decoded<F>, O>, Nullable<Encodable<F>, O>, IsOptional<O>> {
  return field('struct', options, undefined, null, fields) as Field<
    Nullable<Decoded<F>, O>,
    Nullable<Encodable<F>, O>,
    IsOptional<O>
  >;
}

type ElementOut<E> = E extends Field<infer O> ? O : E extends Fields ? Decoded<E> : never;
type ElementIn<E> = E extends Field<unknown, infer I> ? I : E extends Fields ? Encodable<E> : never;

/** An array of a scalar, or of structs with these fields. */
export function array<const E extends Field | Fields, const O extends FieldOptions>(
  element: E,
  options?: O,
): Field<Nullable<ElementOut<E>[], O>, Nullable<readonly ElementIn<E>[], O>, IsOptional<O>> {
  const of = isField(element) ? element : struct(element);
  return field('array', options, [], of) as Field<
    Nullable<ElementOut<E>[], O>,
    Nullable<readonly ElementIn<E>[], O>,
    IsOptional<O>
  >;
}

function isField(element: Field | Fields): element is Field {
  return typeof element.kind === 'string';
}

/** The value of an absent field, fresh each time where it could be changed. */
export function defaultOf(f: Field): unknown {
  if (f.kind === 'array') return f.default === null ? null : [];
  if (f.kind !== 'struct' || f.default === null) return f.default;
  return Object.fromEntries(Object.entries(f.fields!).map(([name, member]) => [name, defaultOf(member)]));
}

/** Whether nothing is lost when the field is left out. Members that a value lacks count as their default. */
export function isDefault(f: Field, value: unknown): boolean {
  if (value === undefined || value === f.default) return true;
  if (value === null) return false;
  if (f.kind === 'array' || f.kind === 'bytes') return f.default !== null && (value as ArrayLike<unknown>).length === 0;
  if (f.kind !== 'struct' || f.default === null) return false;
  return Object.entries(f.fields!).every(([name, member]) =>
    isDefault(member, (value as Record<string, unknown>)[name]),
  );
}

/** Whether the field is on the wire in this version. */
export function isPresent(f: Field, version: number): boolean {
  return version >= f.since && version <= f.until;
}
