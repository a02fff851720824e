/**
 * A copy in memory of its own, for what is kept for long: Node copies small buffers into slabs of 8 KiB that all share, and
 * one slice that stays keeps its whole slab.
 */
export function ownCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
