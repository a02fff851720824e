import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Admin } from '../../../../client/index.ts';
import { HttpError } from '../../http-error.ts';
import { problemOf, type Schema } from '../../openapi/schema.ts';
import type { Route, RouteDoc } from '../../route.ts';
import { collect, contentType, parseJson } from '../body.ts';
import type { RestParts } from '../parts.ts';
import { notFound, payloadError } from './errors.ts';

/** A request to a path under /v3, with what its handlers share: the cluster, links, parameters, the body. */
export class V3Call {
  readonly parts: RestParts;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;

  /** @throws HttpError 404 when the path names another cluster */
  constructor(parts: RestParts, request: FastifyRequest, reply: FastifyReply) {
    this.parts = parts;
    this.request = request;
    this.reply = reply;
    const { cluster_id: asked } = this.#params;
    if (asked !== undefined && asked !== '-' && asked !== this.clusterId) {
      throw notFound(`Cluster ${asked} cannot be found.`);
    }
  }

  get clusterId(): string {
    return this.parts.clusterId;
  }

  get admin(): Admin {
    return this.parts.clients.admin();
  }

  get #params(): Readonly<Record<string, string>> {
    return this.request.params as Readonly<Record<string, string>>;
  }

  /** The URL of something in this cluster, by the address that this request came to; without segments, of the cluster. */
  url(...segments: readonly (string | number)[]): string {
    return ['clusters', this.clusterId, ...segments].reduce<string>(
      (url, segment) => `${url}/${encodeURIComponent(segment)}`,
      this.root,
    );
  }

  get root(): string {
    return `${this.request.protocol}://${this.request.host}/v3`;
  }

  link(...segments: readonly (string | number)[]): { readonly related: string } {
    return { related: this.url(...segments) };
  }

  /** A name of the form `crn:///kafka=<cluster>/topic=<name>`, from `topic=<name>` and so on. */
  crn(...parts: readonly string[]): string {
    return ['crn://', `kafka=${this.clusterId}`, ...parts].join('/');
  }

  /** A parameter of the path that stands there for certain. */
  text(name: string): string {
    return this.#params[name]!;
  }

  /** @throws HttpError 404: a path with anything but a number there leads nowhere */
  integer(name: string): number {
    const text = this.text(name);
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw notFound(`${name} must be an integer from 0 on, not ${text}.`);
  }

  get query(): Readonly<Record<string, unknown>> {
    return this.request.query as Readonly<Record<string, unknown>>;
  }

  /** The body as it arrives. @throws HttpError 415 when it is not said to be JSON, 422 when there is none */
  stream(): Readable {
    const type = contentType(this.request);
    if (type !== '' && type !== 'application/json' && !type.endsWith('+json')) {
      throw new HttpError(415, `The content-type must be application/json, not ${type}.`);
    }
    const body = this.request.body as Readable | undefined;
    if (body === undefined) throw emptyBody();
    return body;
  }

  /** The body, which the schema describes. @throws HttpError 400, 413, 415, 422 */
  async body<T>(schema: Schema): Promise<T> {
    const bytes = await collect(this.stream(), '');
    if (bytes.length === 0) throw emptyBody();
    const value = parseJson(bytes.toString());
    const problem = problemOf(schema, value, 'The body');
    if (problem !== null) throw new HttpError(400, problem);
    return value as T;
  }
}

export function emptyBody(): HttpError {
  return payloadError('Request body is empty. Data is required.');
}

/** A row of the table of /v3. Its handler returns the answer's body, or sends the answer itself and returns the reply. */
export interface V3Route extends RouteDoc {
  readonly handler: (call: V3Call) => unknown;
}

export function served({ handler, ...doc }: V3Route): Route<RestParts> {
  return { ...doc, handle: (parts, request, reply) => handler(new V3Call(parts, request, reply)) };
}

/** The common head of everything that is shown. */
export function resource(call: V3Call, kind: string, self: readonly (string | number)[], crn: readonly string[]) {
  return {
    kind,
    metadata: { self: call.url(...self), resource_name: call.crn(...crn) },
    cluster_id: call.clusterId,
  };
}

/** A list of what is shown; it is whole, so there is no next page. */
export function collection(kind: string, self: string, data: readonly unknown[]) {
  return { kind, metadata: { self, next: null }, data };
}

export async function noContent(call: V3Call): Promise<FastifyReply> {
  return call.reply.code(204).send();
}
