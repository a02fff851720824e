import type { Random } from '../../shared/runtime/random.ts';
import type { FetchSession } from './fetch-session.ts';

/** Idle for longer than this, a session may be pushed out by any other; younger than this, only by a more privileged one. */
const EVICTION_MS = 120_000;
const MAX_ID = 0x7fffffff;

interface Slot {
  readonly session: FetchSession;
  readonly createdMs: number;
  lastUsedMs: number;
}

/**
 * The fetch sessions of a broker, a bounded number of them (Kafka: `FetchSessionCache`). When it is full, a newcomer
 * takes the slot of the one that was not used for longest, if that is idle for two minutes; else of the least valuable
 * that is worth less than itself: consumers before followers, few partitions before many.
 */
export class FetchSessionCache {
  readonly #maxSlots: number;
  readonly #random: Random;
  /** The least recently used first. */
  readonly #slots = new Map<number, Slot>();

  /** @param maxSlots `max.incremental.fetch.session.cache.slots` */
  constructor(maxSlots: number, random: Random) {
    this.#maxSlots = maxSlots;
    this.#random = random;
  }

  get size(): number {
    return this.#slots.size;
  }

  get(id: number): FetchSession | undefined {
    return this.#slots.get(id)?.session;
  }

  /** Notes a use of the session. */
  touch(id: number, nowMs: number): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    slot.lastUsedMs = nowMs;
    this.#slots.set(id, slot);
  }

  /** Closes the session, if it is there. */
  remove(id: number): void {
    this.#slots.get(id)?.session.close();
    this.#slots.delete(id);
  }

  /**
   * Makes a session, if there is room or somebody less valuable has to go.
   * @param size partitions that it will have
   * @param create gets the id, a random positive int32
   */
  maybeCreate(
    nowMs: number,
    isPrivileged: boolean,
    size: number,
    create: (id: number) => FetchSession,
  ): FetchSession | null {
    if (this.#slots.size >= this.#maxSlots && !this.#evictFor(isPrivileged, size, nowMs)) return null;
    const session = create(this.#newId());
    this.#slots.set(session.id, { session, createdMs: nowMs, lastUsedMs: nowMs });
    return session;
  }

  #newId(): number {
    for (;;) {
      const id = this.#random.int(MAX_ID) + 1;
      if (!this.#slots.has(id)) return id;
    }
  }

  #evictFor(isPrivileged: boolean, size: number, nowMs: number): boolean {
    const [oldest] = this.#slots.values();
    if (oldest === undefined) return false;
    if (nowMs - oldest.lastUsedMs > EVICTION_MS) {
      this.remove(oldest.session.id);
      return true;
    }
    const victim = this.#leastValuable(isPrivileged, nowMs);
    if (victim === null || compareValue(victim.session, { isPrivileged, size }) >= 0) return false;
    this.remove(victim.session.id);
    return true;
  }

  #leastValuable(isPrivileged: boolean, nowMs: number): Slot | null {
    let least: Slot | null = null;
    for (const slot of this.#slots.values()) {
      const isOld = nowMs - slot.createdMs > EVICTION_MS;
      if (!isOld && !(isPrivileged && !slot.session.isPrivileged)) continue;
      if (least === null || compareValue(slot.session, least.session) < 0) least = slot;
    }
    return least;
  }
}

interface Valuable {
  readonly isPrivileged: boolean;
  readonly size: number;
}

function compareValue(a: Valuable, b: Valuable): number {
  return Number(a.isPrivileged) - Number(b.isPrivileged) || a.size - b.size;
}
