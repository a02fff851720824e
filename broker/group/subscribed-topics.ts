import { ProtocolError } from '../../shared/protocol/errors.ts';
import { Reader } from '../../shared/protocol/reader.ts';
import type { Member } from './member.ts';

/** The type of groups whose members are consumers. */
export const CONSUMER = 'consumer';

/**
 * The topics that the members of a consumer group read, by the metadata of the protocol chosen; null where they cannot
 * be known: it is another type of group, or a member's metadata is not a subscription.
 */
export function subscribedTopics(
  protocolType: string | null,
  protocolName: string | null,
  members: readonly Member[],
): ReadonlySet<string> | null {
  if (protocolType !== CONSUMER) return null;
  if (members.length > 0 && protocolName === null) return null;
  try {
    return new Set(members.flatMap(member => topicsOf(member.metadata(protocolName))));
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

/** All versions of a consumer's subscription begin with the version and the topics. @throws ProtocolError */
function topicsOf(subscription: Buffer): string[] {
  const reader = new Reader(subscription, 0, 'subscription');
  reader.int16('version');
  const count = reader.arrayLength(false, false, 2, 'topics');
  return Array.from({ length: count }, () => reader.string(false, false, 'topics')!);
}
