import { createAdmin } from '../../client/index.ts';
import { AnswerLosingProxy } from './answer-losing-proxy.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { freePorts } from './free-ports.ts';
import { seededRandom } from './seeded-random.ts';
import { readTopic } from './steady-writer.ts';

/**
 * Two brokers. Clients reach broker 0 through a proxy that loses answers when it is told to, and broker 1 straight:
 * the way in that always works, without which kcat gives up.
 */
export class LossyCluster {
  readonly proxy: AnswerLosingProxy;
  readonly bootstrap: string;
  /** For messages. */
  readonly seed: number;
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster, proxy: AnswerLosingProxy, bootstrap: string, seed: number) {
    this.#cluster = cluster;
    this.proxy = proxy;
    this.bootstrap = bootstrap;
    this.seed = seed;
  }

  static async start(seed = Math.floor(Math.random() * 2 ** 31)): Promise<LossyCluster> {
    const ports = await freePorts(4);
    const proxy = await AnswerLosingProxy.start(ports[0]!, seededRandom(seed));
    const local = (name: string, port: number) => `${name}://127.0.0.1:${port}`;
    const cluster = await startCluster({
      brokers: 2,
      propertiesOf: id => ({
        listeners: `${local('CLIENTS', ports[id]!)},${local('BROKERS', ports[2 + id]!)}`,
        'advertised.listeners': `${local('CLIENTS', id === 0 ? proxy.port : ports[id]!)},${local('BROKERS', ports[2 + id]!)}`,
        'listener.security.protocol.map': 'CLIENTS:PLAINTEXT,BROKERS:PLAINTEXT',
        'inter.broker.listener.name': 'BROKERS',
      }),
    });
    return new LossyCluster(cluster, proxy, `127.0.0.1:${ports[1]!}`, seed);
  }

  /** Makes a topic of one partition, behind the proxy. */
  async createTopic(name: string): Promise<void> {
    const admin = createAdmin({ 'bootstrap.servers': this.bootstrap });
    await admin.createTopics([{ name, assignment: [[0]] }]);
    admin.close();
  }

  /** The values that the topic's partition holds, in order. */
  async log(topic: string): Promise<string[]> {
    const records = await readTopic(this.bootstrap, topic, 1);
    return Array.from({ length: records.size }, (_, offset) => records.get(`0:${offset}`)!);
  }

  /** Lets the broker behind the proxy end as it should, and starts it again. */
  async restart(): Promise<void> {
    const [broker] = this.#cluster.brokers;
    await broker!.stop();
    await broker!.start();
  }

  /** Loses a share of the answers while `action` runs. @returns how many were lost */
  async losing(lossRate: number, action: () => Promise<void>): Promise<number> {
    const before = this.proxy.losses;
    this.proxy.lossRate = lossRate;
    try {
      await action();
    } finally {
      this.proxy.lossRate = 0;
    }
    return this.proxy.losses - before;
  }

  async stop(): Promise<void> {
    await this.proxy.close();
    await this.#cluster.stop();
  }
}
