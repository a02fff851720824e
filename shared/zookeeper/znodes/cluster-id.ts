import { CLUSTER_ID_PATH } from '../paths.ts';
import { encodeJson, MalformedZnodeError, requireObject } from './json.ts';

/** `version` is a string here, unlike everywhere else. */
export function encodeClusterId(id: string): Buffer {
  return encodeJson({ version: '1', id });
}

/** @throws MalformedZnodeError */
export function decodeClusterId(data: Buffer | null): string {
  const { id } = requireObject(CLUSTER_ID_PATH, data);
  if (typeof id !== 'string') throw new MalformedZnodeError(CLUSTER_ID_PATH, 'id missing');
  return id;
}
