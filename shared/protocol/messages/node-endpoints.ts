import { array, int32, string } from '../schema.ts';

/** Addresses of leaders named in an answer, so that a client can go there without asking for metadata (KIP-951). */
export function nodeEndpoints<const O extends { since: number; tag: number }>(options: O) {
  return array(
    { nodeId: int32(), host: string(), port: int32(), rack: string({ nullable: 0, default: null }) },
    { ...options, ignorable: true },
  );
}
