import { CONTROLLER_EPOCH_PATH, CONTROLLER_PATH } from '../paths.ts';
import { asInteger, encodeJson, MalformedZnodeError, requireObject } from './json.ts';

/** Epoch in a `/controller_epoch` that nobody has been elected with yet. */
export const INITIAL_CONTROLLER_EPOCH = 0;

export function encodeController(brokerId: number, nowMs: number): Buffer {
  return encodeJson({ version: 2, brokerid: brokerId, timestamp: String(nowMs), kraftControllerEpoch: -1 });
}

/** Id of the active controller. @throws MalformedZnodeError */
export function decodeController(data: Buffer | null): number {
  const id = asInteger(requireObject(CONTROLLER_PATH, data).brokerid);
  if (id === null) throw new MalformedZnodeError(CONTROLLER_PATH, 'brokerid missing');
  return id;
}

export function encodeControllerEpoch(epoch: number): Buffer {
  return Buffer.from(String(epoch), 'utf8');
}

/** @throws MalformedZnodeError */
export function decodeControllerEpoch(data: Buffer | null): number {
  const text = data?.toString('utf8').trim() ?? '';
  if (!/^\d+$/.test(text)) throw new MalformedZnodeError(CONTROLLER_EPOCH_PATH, `"${text}" is not an epoch`);
  return Number(text);
}
