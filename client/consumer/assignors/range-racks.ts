import type { AssignorMember } from './assignor.ts';
import type { Give, RangeShare } from './range-share.ts';

/**
 * The first pass of the range assignor where racks matter (KIP-881): members get, within what is theirs by number, only
 * partitions that they can read in their own rack. Topics with the same takers and as many partitions stay aligned, even if
 * racks matter for none or one of them. What is left over is for the second pass.
 */
export function giveNear(shares: readonly RangeShare[], give: Give): void {
  for (const aligned of groupAligned(shares)) {
    const [only] = aligned;
    if (aligned.length > 1) giveAligned(aligned, give);
    else if (only!.needsRacks) only!.giveRanges((member, partition) => only!.isNear(member, partition), give);
  }
}

/** Topics that have the same takers and equally many partitions; those without racks are left out. */
function groupAligned(shares: readonly RangeShare[]): RangeShare[][] {
  const groups = new Map<string, RangeShare[]>();
  for (const share of shares.filter(({ hasRacks }) => hasRacks)) {
    const key = JSON.stringify([share.count, share.takers.map(({ memberId }) => memberId)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [share]);
    else group.push(share);
  }
  return [...groups.values()];
}

/** Partition by partition: the same one of every topic to the first member that is near to all of them. */
function giveAligned(shares: readonly RangeShare[], give: Give): void {
  const [{ count, takers }] = shares as [RangeShare];
  for (let partition = 0; partition < count; partition++) {
    const canHave = (member: AssignorMember) =>
      shares.every(share => share.isNear(member, partition) && share.room(member) > 0);
    const member = takers.find(canHave);
    if (member === undefined) continue;
    for (const share of shares) share.give(member, [partition], give);
  }
}
