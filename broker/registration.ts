import type { Logger } from '../shared/runtime/logger.ts';
import type { Clock, Timers } from '../shared/runtime/clock.ts';
import { isZooKeeperError } from '../shared/zookeeper/zookeeper.ts';
import type { BrokerRegistration, ZooKeeperStore } from '../shared/zookeeper/store.ts';

/** How often a registration that is in the way is looked at again. */
const RETRY_MS = 100;

export interface RegistrationParts {
  readonly store: ZooKeeperStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** How long a registration of this broker's former life may be in the way: its session's timeout, and a little. */
  readonly patienceMs: number;
}

/**
 * Registers the broker and resolves with its broker epoch. After a kill the former session lives on for its timeout and
 * holds the id: where its address is the one that this process has bound itself, it can only be our own former life,
 * and is waited for (Apache Kafka gives up at once, and leaves the waiting to whoever restarts it).
 * @throws Error when another broker holds the id or advertises the same address
 */
export async function registerBroker(registration: BrokerRegistration, parts: RegistrationParts): Promise<bigint> {
  const { store, clock, timers, logger, patienceMs } = parts;
  await refuseSharedAddress(registration, store);
  const deadline = clock.monotonic() + patienceMs;
  let announced = false;
  for (;;) {
    try {
      return await store.brokers.register({ ...registration, timestampMs: clock.now() });
    } catch (error) {
      const ours = isZooKeeperError(error, 'NODE_EXISTS') && (await isFormerLife(registration, store));
      if (!ours || clock.monotonic() > deadline) throw error;
    }
    if (!announced) logger.info('waiting for the ZooKeeper session of this broker before its restart to expire');
    announced = true;
    await timers.sleep(RETRY_MS);
  }
}

function addresses(registration: BrokerRegistration): string[] {
  return registration.endpoints.map(({ host, port }) => `${host}:${port}`).sort();
}

async function isFormerLife(registration: BrokerRegistration, store: ZooKeeperStore): Promise<boolean> {
  const existing = await store.brokers.get(registration.id);
  return existing === null || addresses(existing.registration).join() === addresses(registration).join();
}

async function refuseSharedAddress(registration: BrokerRegistration, store: ZooKeeperStore): Promise<void> {
  const own = new Set(addresses(registration));
  for (const { id, registration: other } of await store.brokers.list()) {
    const shared = id === registration.id ? undefined : addresses(other).find(address => own.has(address));
    if (shared !== undefined) {
      throw new Error(
        `advertised.listeners has ${shared}, which broker ${id} advertises already: every broker needs its own`,
      );
    }
  }
}
