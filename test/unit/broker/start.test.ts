import { expect, test } from 'vitest';
import { Broker } from '../../../broker/broker.ts';
import { BrokerConfig } from '../../../broker/config/broker-config.ts';
import type { Door, Platform } from '../../../broker/platform.ts';
import { silentLogger } from '../../../shared/runtime/logger.ts';
import { ConnectionError } from '../../../shared/connection/connection.ts';
import { InlineCleaning } from '../../support/inline-cleaning.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';
import { MemoryZooKeeper, type MemoryZooKeeperClient } from '../../support/memory-zookeeper.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const LATENCY_MS = 10;

/** A broker about to start, on virtual time, with nobody to talk to but ZooKeeper. */
class Beginning {
  readonly time = new VirtualTime();
  readonly server = new MemoryZooKeeper({
    clock: this.time,
    timers: this.time,
    sessionTimeoutMs: 6000,
    latencyMs: () => LATENCY_MS,
  });
  zooKeeper: MemoryZooKeeperClient | null = null;
  #outcome: 'pending' | 'started' | Error = 'pending';

  get outcome(): 'pending' | 'started' | Error {
    return this.#outcome;
  }

  get isRegistered(): boolean {
    return this.server.tree.read('/brokers/ids/1')?.stat.ephemeralOwner === this.zooKeeper?.sessionId;
  }

  start(): void {
    const fs = new MemoryFileSystem();
    fs.makeDirectory('/logs');
    const overrides = { 'broker.id': '1', 'log.dirs': '/logs' };
    const config = BrokerConfig.load({ text: 'zookeeper.connect=test:1', overrides });
    const door: Door = { boundPorts: new Map(), startProcessing: () => {}, close: () => Promise.resolve() };
    const platform: Platform = {
      clock: this.time,
      timers: this.time,
      random: seededRandom(1),
      fs,
      connectZooKeeper: async () => (this.zooKeeper = await this.server.connect()),
      brokerConnector: () => ({ connect: () => Promise.reject(new ConnectionError('REFUSED', 'nobody is there')) }),
      cleaningExecutor: () => new InlineCleaning(fs, () => Promise.resolve()),
      openDoor: () => Promise.resolve(door),
      halt: () => {},
    };
    new Broker(config, silentLogger, platform).start().then(
      () => (this.#outcome = 'started'),
      (error: unknown) => (this.#outcome = error as Error),
    );
  }
}

test('a session that ends while the broker starts, wherever it stands, is no more than a delay', async () => {
  let started = false;
  for (let step = 1; !started; step++) {
    const beginning = new Beginning();
    beginning.start();
    await beginning.time.advance(step * LATENCY_MS);
    started = beginning.outcome === 'started';
    beginning.zooKeeper?.expire();
    await beginning.time.until('the end of the start', () => beginning.outcome !== 'pending');
    expect(beginning.outcome, `expired after ${step} messages`).toBe('started');
    await beginning.time.until('the registration', () => beginning.isRegistered);
  }
});
