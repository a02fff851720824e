import { KafkaConnector } from '../shared/connection/kafka.ts';
import type { Connector } from '../shared/connection/connection.ts';
import { systemClock, systemTimers } from '../shared/runtime/clock.ts';
import type { Logger } from '../shared/runtime/logger.ts';
import { systemRandom } from '../shared/runtime/random.ts';
import { realFileSystem } from '../shared/runtime/real-file-system.ts';
import type { ClientTls } from '../shared/tls/client.ts';
import { connectZooKeeper } from '../shared/zookeeper/client.ts';
import type { ZooKeeper } from '../shared/zookeeper/zookeeper.ts';
import { CleanerThread } from './cleaner-thread.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import { openDoor } from './door.ts';
import { failpointsFrom } from './failpoints.ts';
import type { Platform } from './platform.ts';

/**
 * The platform of a broker that is a process of its own.
 * @throws Error for a failpoint that does not exist
 */
export function systemPlatform(environment: NodeJS.ProcessEnv): Platform {
  const failpoints = failpointsFrom(environment);
  return {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    fs: realFileSystem,
    ...(failpoints === undefined ? {} : { failpoints }),
    connectZooKeeper: connectToZooKeeper,
    brokerConnector,
    cleaningExecutor: bytesPerSecond => new CleanerThread(bytesPerSecond),
    openDoor,
    halt: () => process.exit(1),
  };
}

function connectToZooKeeper(config: BrokerConfig, logger: Logger): Promise<ZooKeeper> {
  return connectZooKeeper({
    connectString: config.get('zookeeper.connect'),
    sessionTimeoutMs: config.get('zookeeper.session.timeout.ms'),
    connectionTimeoutMs: config.get('zookeeper.connection.timeout.ms'),
    maxInFlight: config.get('zookeeper.max.in.flight.requests'),
    logger,
    clock: systemClock,
    timers: systemTimers,
  });
}

function brokerConnector(brokerId: number, config: BrokerConfig, tls: ClientTls | null): Connector {
  return new KafkaConnector({
    clientId: `broker-${brokerId}`,
    requestTimeoutMs: config.get('request.timeout.ms'),
    connectTimeoutMs: config.get('socket.connection.setup.timeout.ms'),
    negotiate: false,
    timers: systemTimers,
    tls,
  });
}
