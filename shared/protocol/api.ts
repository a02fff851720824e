import { message, type Message, type VersionRange } from './message.ts';
import type { Decoded, Encodable, Fields } from './schema.ts';

/** A request and its response under one API key. */
export interface Api<Request extends Message = Message, Response extends Message = Message> {
  readonly key: number;
  readonly name: string;
  readonly versions: VersionRange;
  /** First version with compact lengths, tagged fields and the headers that go with them; null if there is none. */
  readonly flexibleSince: number | null;
  readonly request: Request;
  readonly response: Response;
}

/** A decoded request: every field there. */
export type RequestOf<A extends Api> = A extends Api<Message<infer O>> ? O : never;
/** What encoding a request takes. */
export type RequestInput<A extends Api> = A extends Api<Message<unknown, infer I>> ? I : never;
/** A decoded response: every field there. */
export type ResponseOf<A extends Api> = A extends Api<Message, Message<infer O>> ? O : never;
/** What encoding a response takes. */
export type ResponseInput<A extends Api> = A extends Api<Message, Message<unknown, infer I>> ? I : never;

interface ApiOptions<Q extends Fields, R extends Fields> {
  readonly key: number;
  readonly name: string;
  readonly versions: readonly [min: number, max: number];
  readonly flexibleSince: number | null;
  readonly toleratesTrailing?: true;
  readonly request: Q;
  readonly response: R;
}

type ApiOf<Q extends Fields, R extends Fields> = Api<
  Message<Decoded<Q>, Encodable<Q>>,
  Message<Decoded<R>, Encodable<R>>
>;

/** Makes an API from its two tables. */
export function api<const Q extends Fields, const R extends Fields>(options: ApiOptions<Q, R>): ApiOf<Q, R> {
  const { key, name, flexibleSince, toleratesTrailing } = options;
  const versions = { min: options.versions[0], max: options.versions[1] };
  const common = { versions, flexibleSince };
  const tolerance = toleratesTrailing === true ? { toleratesTrailing } : {};
  return {
    key,
    name,
    versions,
    flexibleSince,
    request: message({ name: `${name}Request`, ...common, ...tolerance }, options.request),
    response: message({ name: `${name}Response`, ...common }, options.response),
  };
}
