import { RPC_CONTENT_TYPE } from '../../shared/connection/rpc.ts';
import type { Api } from '../../shared/protocol/api.ts';
import { ProtocolError } from '../../shared/protocol/errors.ts';
import { HttpError } from './http-error.ts';

/** How an RPC's body is written. */
export type RpcForm = 'binary' | 'json';

const JSON_CONTENT_TYPE = 'application/json';

export const CONTENT_TYPES: Readonly<Record<RpcForm, string>> = {
  binary: RPC_CONTENT_TYPE,
  json: JSON_CONTENT_TYPE,
};

function mediaType(text: string): string {
  return text.split(';', 1)[0]!.trim().toLowerCase();
}

/** @throws HttpError 415 */
export function requestForm(contentType: string | undefined): RpcForm {
  const type = mediaType(contentType ?? '');
  if (type === RPC_CONTENT_TYPE) return 'binary';
  if (type === JSON_CONTENT_TYPE) return 'json';
  const given = type === '' ? 'It has none.' : `It is ${type}.`;
  throw new HttpError(415, `The content-type must be ${RPC_CONTENT_TYPE} or ${JSON_CONTENT_TYPE}. ${given}`);
}

/**
 * The first form in `accept` that there is; whoever has no wish gets the form of the request.
 * @throws HttpError 406
 */
export function answerForm(accept: string | undefined, asked: RpcForm): RpcForm {
  if (accept === undefined) return asked;
  for (const type of accept.split(',').map(mediaType)) {
    if (type === RPC_CONTENT_TYPE) return 'binary';
    if (type === JSON_CONTENT_TYPE) return 'json';
    if (type === '*/*' || type === 'application/*') return asked;
  }
  throw new HttpError(406, `There is only ${RPC_CONTENT_TYPE} and ${JSON_CONTENT_TYPE}.`);
}

/**
 * The request body as the Kafka protocol has it.
 * @throws ProtocolError naming what was wrong in the JSON
 */
export function toBinaryRequest(api: Api, version: number, form: RpcForm, body: Buffer): Buffer {
  if (form === 'binary') return body;
  const request = api.request.fromJson(parseJson(body), version);
  return Buffer.concat(api.request.encode(request, version));
}

/** The answer in the form that was asked for. */
export function fromBinaryAnswer(api: Api, version: number, form: RpcForm, chunks: Buffer[]): Buffer[] {
  if (form === 'binary') return chunks;
  const answer = api.response.decode(Buffer.concat(chunks), version);
  return [Buffer.from(JSON.stringify(api.response.toJson(answer, version)))];
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new ProtocolError(`the body is not JSON: ${(error as Error).message}`);
  }
}
