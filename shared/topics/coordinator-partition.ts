/**
 * The partition of `__consumer_offsets` or `__transaction_state` in which a group, or a transactional id, is kept: by the
 * hash that Java has for strings (Kafka: `Utils.abs(id.hashCode) % partitions`, where abs of the least integer is 0).
 */
export function coordinatorPartition(id: string, partitions: number): number {
  let hash = 0;
  for (let i = 0; i < id.length; i++) hash = (Math.imul(hash, 31) + id.charCodeAt(i)) | 0;
  const abs = hash === -0x80000000 ? 0 : Math.abs(hash);
  return abs % partitions;
}
