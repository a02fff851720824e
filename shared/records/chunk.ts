const LEAST = 1 << 10;
const MOST = 1 << 20;

/**
 * The `chunkSize` for a synchronous node:zlib call whose output is expected to be `size` bytes: such that one chunk takes
 * it all, because a second one costs an allocation and a copy of everything. A size from untrusted bytes is bounded.
 */
export function chunkFor(size: number): number {
  // A chunk that is filled to the last byte makes zlib ask for another one.
  return Math.min(Math.max(size + 64, LEAST), MOST);
}
