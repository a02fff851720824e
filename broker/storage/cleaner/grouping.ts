/** Sizes of a segment's files in bytes. */
export interface SegmentSizes {
  readonly baseOffset: number;
  readonly log: number;
  readonly offsetIndex: number;
  readonly timeIndex: number;
}

/** What one segment may become: `segment.bytes` and `segment.index.bytes` of the topic. */
export interface GroupLimits {
  readonly logBytes: number;
  readonly indexBytes: number;
}

/** What the files of a segment can express. */
const MAX_RELATIVE_OFFSET = 0x7fff_ffff;

/**
 * Which neighbours become one segment when they are cleaned: as many as fit into one even if nothing is removed (Kafka:
 * `Cleaner.groupSegmentsBySize`).
 * @param segments ascending, all of those to be cleaned
 * @param end the offset at which the last one of them ends
 */
export function groupSegments<T extends SegmentSizes>(
  segments: readonly T[],
  end: number,
  { logBytes, indexBytes }: GroupLimits,
): T[][] {
  const groups: T[][] = [];
  let sums = { log: 0, offsetIndex: 0, timeIndex: 0 };
  for (const [i, segment] of segments.entries()) {
    const group = groups.at(-1);
    const together = {
      log: sums.log + segment.log,
      offsetIndex: sums.offsetIndex + segment.offsetIndex,
      timeIndex: sums.timeIndex + segment.timeIndex,
    };
    const lastOffset = (segments[i + 1]?.baseOffset ?? end) - 1;
    const fits =
      group !== undefined &&
      together.log <= logBytes &&
      together.offsetIndex <= indexBytes &&
      together.timeIndex <= indexBytes &&
      // An empty one takes no offsets: otherwise one would be left behind every 2^31 offsets.
      (segment.log === 0 || lastOffset - group[0]!.baseOffset <= MAX_RELATIVE_OFFSET);
    if (fits) group.push(segment);
    else groups.push([segment]);
    sums = fits ? together : segment;
  }
  return groups;
}
