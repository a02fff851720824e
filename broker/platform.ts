import type { Connector } from '../shared/connection/connection.ts';
import type { Clock, Timers } from '../shared/runtime/clock.ts';
import type { FileSystem } from '../shared/runtime/file-system.ts';
import type { Logger } from '../shared/runtime/logger.ts';
import type { Random } from '../shared/runtime/random.ts';
import type { ClientTls } from '../shared/tls/client.ts';
import type { ZooKeeper } from '../shared/zookeeper/zookeeper.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import type { Failpoints } from './controller/failpoints.ts';
import type { Readiness } from './http/ports.ts';
import type { Dispatcher } from './request/handler.ts';
import type { BrokerRooms } from './rooms.ts';
import type { CleaningExecutor } from './storage/cleaner/steps.ts';

/** The broker's way in, for clients and other brokers. */
export interface Door {
  /** Port numbers by listener name, where the configuration leaves them to the system. */
  readonly boundPorts: ReadonlyMap<string, number>;
  /** From now on requests are answered; until then connections wait. */
  startProcessing(): void;
  /** Frees the ports and ends all connections, cutting off after `gracefulMs` what does not end by itself. */
  close(gracefulMs: number): Promise<void>;
}

export interface DoorParts {
  readonly rooms: BrokerRooms;
  readonly dispatcher: Dispatcher;
  readonly readiness: () => Readiness;
  readonly logger: Logger;
}

/**
 * All that a broker stands on: time, chance, disk, network and ZooKeeper. A process has the system's (`systemPlatform`);
 * the simulation runs the same broker on others.
 */
export interface Platform {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly fs: FileSystem;
  /** Places of the controller where tests of crashes end the process. */
  readonly failpoints?: Failpoints;
  /** Resolves with a client that has a session. @throws Error when no server answers in time */
  connectZooKeeper(config: BrokerConfig, logger: Logger): Promise<ZooKeeper>;
  /** Connections from this broker to the others, in versions that the caller names. @param tls null: unsecured */
  brokerConnector(brokerId: number, config: BrokerConfig, tls: ClientTls | null): Connector;
  /**
   * Makes what compacts logs, one at a time, off the loop.
   * @param bytesPerSecond what it may read and write, asked again and again; Infinity: no limit
   */
  cleaningExecutor(bytesPerSecond: () => number): CleaningExecutor;
  /** Takes the ports. @throws Error when one is not to be had */
  openDoor(parts: DoorParts): Promise<Door>;
  /** Ends the process at once, as a failure does: nothing acknowledged hangs on an orderly end. */
  halt(): void;
}
