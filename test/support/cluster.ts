import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerProcess } from './broker-process.ts';
import { freePorts } from './free-ports.ts';
import { ZooKeeperProcess } from './zookeeper-process.ts';

export interface ClusterOptions {
  /** How many brokers, ids 0, 1, …; default 3. */
  readonly brokers?: number;
  /** Added to every broker's server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Added to those of one broker. */
  readonly propertiesOf?: (id: number) => Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A running cluster: a real ZooKeeper and real broker processes on 127.0.0.1, files in a temporary directory. */
export interface Cluster {
  readonly zookeeper: ZooKeeperProcess;
  /** ZooKeeper's `host:port`. */
  readonly zookeeperConnect: string;
  readonly brokers: readonly BrokerProcess[];
  /** All brokers, as bootstrap servers. */
  readonly bootstrap: string;
  readonly directory: string;
  /** Kills what still runs and removes the files. */
  stop(): Promise<void>;
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const count = options.brokers ?? 3;
  const directory = mkdtempSync(join(tmpdir(), 'samsa-'));
  const zookeeper = await ZooKeeperProcess.start({ directory: join(directory, 'zookeeper') });
  const ports = await freePorts(count);
  const brokers = ports.map((port, id) => {
    const own = join(directory, `broker-${id}`);
    mkdirSync(own, { recursive: true });
    return new BrokerProcess({
      id,
      port,
      zookeeper: zookeeper.connectString,
      directory: own,
      properties: { ...options.properties, ...options.propertiesOf?.(id) },
      environment: options.environment ?? {},
    });
  });
  const cluster: Cluster = {
    zookeeper,
    zookeeperConnect: zookeeper.connectString,
    brokers,
    bootstrap: brokers.map(broker => broker.address).join(','),
    directory,
    async stop() {
      await Promise.all(brokers.map(broker => broker.kill()));
      await zookeeper.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all(brokers.map(broker => broker.start()));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}
