import type { MetadataCache } from '../metadata/metadata-cache.ts';

export interface LeaderHint {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface NodeEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** Tells clients that came to the wrong broker where the leader is, so that they need not ask for metadata (KIP-951). */
export class LeaderHints {
  readonly #metadata: MetadataCache;

  constructor(metadata: MetadataCache) {
    this.#metadata = metadata;
  }

  /** null when no leader is known. */
  leader(topic: string, partition: number): LeaderHint | null {
    const known = this.#metadata.partition(topic, partition);
    return known === null || known.leader < 0 ? null : { leaderId: known.leader, leaderEpoch: known.leaderEpoch };
  }

  /** Addresses of the leaders on the client's listener; those that have none there are left out. */
  endpoints(leaders: ReadonlySet<number>, listenerName: string): NodeEndpoint[] {
    return this.#metadata
      .aliveBrokers()
      .filter(broker => leaders.has(broker.id))
      .flatMap(({ id, rack, endpoints }) => {
        const endpoint = endpoints.find(e => e.listenerName === listenerName);
        return endpoint === undefined ? [] : [{ nodeId: id, host: endpoint.host, port: endpoint.port, rack }];
      });
  }
}
