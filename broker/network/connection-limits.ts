import { lookup } from 'node:dns/promises';
import type { ListenerSpec, NetworkOptions } from './options.ts';

/** Writes an address the way it is counted: IPv4 within IPv6 is IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}

/**
 * Reads `max.connections.per.ip.overrides`. Host names stand for all their addresses, as of now.
 * @throws Error with one sentence, when an entry is not `host:count` or a host is unknown
 */
export async function resolveOverrides(text: string): Promise<Map<string, number>> {
  const resolved = new Map<string, number>();
  for (const entry of text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')) {
    const colon = entry.lastIndexOf(':');
    const host = entry.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    const limit = Number(entry.slice(colon + 1));
    if (colon < 1 || !Number.isInteger(limit) || limit < 0) {
      throw new Error(`max.connections.per.ip.overrides: '${entry}' is not host:count`);
    }
    for (const address of await addressesOf(host)) resolved.set(address, limit);
  }
  return resolved;
}

async function addressesOf(host: string): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => plainAddress(address));
  } catch (error) {
    throw new Error(`max.connections.per.ip.overrides: the host '${host}' is unknown`, { cause: error });
  }
}

/** Counts the broker's connections and says which one is too many (Kafka's ConnectionQuotas). */
export class ConnectionLimits {
  readonly #options: NetworkOptions;
  #overrides: ReadonlyMap<string, number>;
  readonly #protectedListener: string | null;
  readonly #perAddress = new Map<string, number>();
  #total = 0;

  constructor(options: NetworkOptions, listeners: readonly ListenerSpec[], overrides: ReadonlyMap<string, number>) {
    this.#options = options;
    this.#overrides = overrides;
    this.#protectedListener = listeners.length > 1 ? options.interBrokerListenerName : null;
  }

  /** Connections admitted and not yet gone. */
  get total(): number {
    return this.#total;
  }

  /** @param overrides limits by address, as `resolveOverrides` makes them */
  setOverrides(overrides: ReadonlyMap<string, number>): void {
    this.#overrides = overrides;
  }

  /** Counts the connection in and returns null, or returns the sentence that says why it is refused. */
  admit(listenerName: string, address: string): string | null {
    const ofAddress = this.#perAddress.get(address) ?? 0;
    const addressLimit = this.#overrides.get(address) ?? this.#options.maxConnectionsPerIp;
    if (ofAddress >= addressLimit) return `its address already has the maximum of ${addressLimit} connections`;
    if (this.#total >= this.#options.maxConnections && listenerName !== this.#protectedListener) {
      return `the broker already has the maximum of ${this.#options.maxConnections} connections`;
    }
    this.#perAddress.set(address, ofAddress + 1);
    this.#total++;
    return null;
  }

  /** Counts an admitted connection out. */
  gone(address: string): void {
    this.#total--;
    const left = this.#perAddress.get(address)! - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
  }
}
