import type { Random } from '../../shared/runtime/random.ts';

/** A member id that nobody else has: `<prefix>-<uuid>`, the prefix being the client id or the instance id. */
export function newMemberId(prefix: string, random: Random): string {
  return `${prefix}-${uuid(random)}`;
}

/** A random UUID (RFC 9562, version 4). */
function uuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
