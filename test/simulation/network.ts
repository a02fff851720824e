import type { Random } from '../../shared/runtime/random.ts';
import type { VirtualTime } from '../support/virtual-time.ts';
import type { Life } from './life.ts';

/** Milliseconds a message takes in good times, at least and at most. */
const LATENCY_MS = [1, 4] as const;

/** One direction of a connection: nothing overtakes, nothing is lost while the connection stands. */
export class Lane {
  readonly #network: SimulatedNetwork;
  readonly #link: string;
  readonly #route: string;
  #queue: (() => void)[] = [];
  /** Messages whose time has come while the link was cut. */
  #held = 0;

  constructor(network: SimulatedNetwork, link: string, route: string) {
    this.#network = network;
    this.#link = link;
    this.#route = route;
    network.lanes.add(this);
  }

  send(action: () => void): void {
    this.#queue.push(action);
    this.#pumpLater();
  }

  #pumpLater(): void {
    this.#network.time.after(this.#network.latencyMs(this.#link, this.#route), () => {
      if (this.#network.isCut(this.#link)) this.#held++;
      else this.#queue.shift()?.();
    });
  }

  /** The link is whole again: what was held is sent anew, as TCP does. */
  resume(): void {
    const held = this.#held;
    this.#held = 0;
    for (let i = 0; i < held; i++) this.#pumpLater();
  }

  /** The connection is gone, and with it what was under way. */
  drop(): void {
    this.#queue = [];
    this.#network.lanes.delete(this);
  }
}

/** What the network does to a connection as a whole. */
export interface NetworkConnection {
  readonly link: string;
  /** Everything under way is lost, and both sides notice. */
  reset(): void;
  /** The process that serves it is gone; its machine ends the connection for it. */
  serverDied(): void;
  isServedBy(life: Life): boolean;
  isOf(life: Life): boolean;
}

/**
 * Who can reach whom, and how fast. Hosts are names; a link is a pair of them, a route the connections that one of them has
 * opened to the other.
 */
export class SimulatedNetwork {
  readonly time: VirtualTime;
  readonly lanes = new Set<Lane>();
  readonly connections = new Set<NetworkConnection>();
  readonly #random: Random;
  readonly #cuts = new Map<string, number>();
  readonly #slow = new Map<string, number>();

  constructor(time: VirtualTime, random: Random) {
    this.time = time;
    this.#random = random;
  }

  link(a: string, b: string): string {
    return a < b ? `${a}|${b}` : `${b}|${a}`;
  }

  route(client: string, server: string): string {
    return `${client}>${server}`;
  }

  isCut(link: string): boolean {
    return (this.#cuts.get(link) ?? 0) > 0;
  }

  latencyMs(link: string, route = link): number {
    const [least, most] = LATENCY_MS;
    const extra = Math.max(this.#slow.get(link) ?? 0, this.#slow.get(route) ?? 0);
    return least + this.#random.int(most - least + 1) + (extra === 0 ? 0 : this.#random.int(extra));
  }

  /** Cuts a link until the returned function is called; cuts add up. */
  cut(link: string): () => void {
    this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);
    return () => {
      this.#cuts.set(link, this.#cuts.get(link)! - 1);
      if (!this.isCut(link)) for (const lane of this.lanes) lane.resume();
    };
  }

  /** Makes a link or a route slow, each message by up to `extraMs`, until the returned function is called. */
  slow(link: string, extraMs: number): () => void {
    this.#slow.set(link, extraMs);
    return () => void this.#slow.delete(link);
  }
}
