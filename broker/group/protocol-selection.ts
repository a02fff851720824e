import type { Member, MemberProtocol } from './member.ts';

/**
 * Whether all members can do a protocol. Asked at every join, so that it must not gather what all have in common: a whole
 * group that joins again asks as often as it has members.
 */
export function isCommonProtocol(name: string, members: Iterable<Member>): boolean {
  for (const { protocols } of members) if (!protocols.some(protocol => protocol.name === name)) return false;
  return true;
}

/** The protocols that all members can do. */
function commonProtocols(members: readonly Member[]): Set<string> {
  const counts = new Map<string, number>();
  for (const { protocols } of members)
    for (const name of new Set(namesOf(protocols))) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Set([...counts].filter(([, count]) => count === members.length).map(([name]) => name));
}

/**
 * The protocol of the next generation: each member votes for the first of its own that all can do; most votes win, and
 * of equals the one that was voted for first (Kafka: `GroupMetadata.selectProtocol`). null: there is none in common.
 */
export function selectProtocol(members: readonly Member[]): string | null {
  const candidates = commonProtocols(members);
  const votes = new Map<string, number>();
  for (const { protocols } of members) {
    const choice = namesOf(protocols).find(name => candidates.has(name));
    if (choice !== undefined) votes.set(choice, (votes.get(choice) ?? 0) + 1);
  }
  let winner: string | null = null;
  for (const [name, count] of votes) if (winner === null || count > votes.get(winner)!) winner = name;
  return winner;
}

function namesOf(protocols: readonly MemberProtocol[]): string[] {
  return protocols.map(({ name }) => name);
}
