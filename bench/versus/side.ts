import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createAdmin } from '../../client/index.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import { Metadata } from '../../shared/protocol/messages/metadata.ts';
import { BrokerProcess } from '../../test/support/broker-process.ts';
import { freePorts } from '../../test/support/free-ports.ts';
import { waitFor } from '../../test/support/wait.ts';
import type { ZooKeeperProcess } from '../../test/support/zookeeper-process.ts';
import { connectTo } from '../harness/dialect.ts';
import { addressOf } from '../harness/test-cluster.ts';
import { apacheBroker } from './apache-java.ts';

/** Who is compared: Samsa first, everywhere. */
export const NAMES = ['Samsa', 'Kafka'] as const;
export type Name = (typeof NAMES)[number];

/** Of topics, where a load does not say: enough that each of three brokers leads one. */
export const PARTITIONS = 3;

/** The last version without topic ids. */
const METADATA_VERSION = 8;

/**
 * The same for both. Groups begin at once: the delay of 3 s would be most of what is measured. Deleted topics leave the disk soon, so that the dirty pages of one turn do not slow down the next; the
 * session timeout is Kafka's default, as a machine under full load stalls for longer than the tests allow.
 */
const PROPERTIES = {
  'log.segment.delete.delay.ms': '100',
  'auto.create.topics.enable': 'false',
  'group.initial.rebalance.delay.ms': '0',
  'zookeeper.session.timeout.ms': '18000',
};

/** One of the two clusters. */
export class Side {
  readonly name: Name;
  readonly brokers: readonly BrokerProcess[];
  readonly #admin: ReturnType<typeof createAdmin>;
  #connections: Connection[] = [];
  #topics = 0;

  private constructor(name: Name, brokers: readonly BrokerProcess[]) {
    this.name = name;
    this.brokers = brokers;
    this.#admin = createAdmin({ 'bootstrap.servers': this.bootstrap, 'samsa.dialect': 'kafka' });
  }

  /** Starts `count` brokers below a root of their own in ZooKeeper, with files in `directory`. */
  static async start(name: Name, count: number, zookeeper: ZooKeeperProcess, directory: string): Promise<Side> {
    const ports = await freePorts(count);
    const brokers = ports.map((port, id) => {
      const own = join(directory, `${name}-${count}-${id}`);
      mkdirSync(own, { recursive: true });
      return new BrokerProcess({
        id,
        port,
        zookeeper: `${zookeeper.connectString}/${name}-${count}`,
        directory: own,
        properties: { ...PROPERTIES, ...internalTopics(count) },
        ...(name === 'Kafka' && { command: apacheBroker() }),
      });
    });
    const side = new Side(name, brokers);
    await Promise.all(brokers.map(broker => broker.start()));
    return side;
  }

  get bootstrap(): string {
    return this.brokers.map(broker => broker.address).join(',');
  }

  get pids(): number[] {
    return this.brokers.map(broker => broker.pid);
  }

  /** Creates a topic that is replicated to all brokers, and waits until all of them know who leads it. Gives its name. */
  async createTopic(partitions = PARTITIONS): Promise<string> {
    const name = `load-${this.#topics++}`;
    const replicas = this.brokers.length;
    await this.#admin.createTopics([{ name, partitions, replicationFactor: replicas, configs: {} }]);
    this.#connections = this.#connections.filter(connection => !connection.closed);
    if (this.#connections.length < replicas) {
      for (const connection of this.#connections) connection.close();
      this.#connections = await Promise.all(this.brokers.map(broker => connectTo('kafka', addressOf(broker))));
    }
    for (const connection of this.#connections) {
      await waitFor(`all of ${this.name} to know ${name}`, () => knowsLeaders(connection, name, partitions, replicas));
    }
    return name;
  }

  /** Deletes a topic, and waits until its files are gone. */
  async deleteTopic(name: string): Promise<void> {
    await this.#admin.deleteTopics([name]);
    await waitFor(`all of ${this.name} to remove ${name}`, () =>
      this.brokers.every(({ dataDirectory }) => !readdirSync(dataDirectory).some(file => file.startsWith(`${name}-`))),
    );
  }

  /** Kills what still runs. */
  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    this.#admin.close();
    await Promise.all(this.brokers.map(broker => broker.kill()));
  }
}

/** Replicated to all brokers, where all but one have to have each record. */
function internalTopics(brokers: number): Readonly<Record<string, string>> {
  return {
    'offsets.topic.replication.factor': String(brokers),
    'transaction.state.log.replication.factor': String(brokers),
    'transaction.state.log.min.isr': String(Math.max(1, brokers - 1)),
  };
}

async function knowsLeaders(connection: Connection, name: string, count: number, replicas: number): Promise<boolean> {
  const request = { topics: [{ name }], allowAutoTopicCreation: false };
  const answer = await connection.call(Metadata, request, { version: METADATA_VERSION });
  const { partitions } = answer!.topics[0]!;
  const isReady = partitions.every(({ leaderId, isrNodes }) => leaderId >= 0 && isrNodes.length === replicas);
  return isReady && partitions.length === count;
}

/** The ids of the brokers that are alive, as the one at the other end knows. */
export async function brokersKnownTo(connection: Connection): Promise<number[]> {
  const request = { topics: [], allowAutoTopicCreation: false };
  const answer = await connection.call(Metadata, request, { version: METADATA_VERSION });
  return answer!.brokers.map(({ nodeId }) => nodeId);
}
