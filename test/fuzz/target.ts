import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdmin, createProducer, type Admin } from '../../client/index.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { CertificateAuthority } from '../support/certificates.ts';
import { freePorts } from '../support/free-ports.ts';
import { waitFor } from '../support/wait.ts';
import { ZooKeeperProcess } from '../support/zookeeper-process.ts';
import type { Ports } from './speaker.ts';
import { READ_TOPIC, WRITTEN_TOPICS } from './values.ts';

/**
 * Lines of JSON below the level of an error; and what Node says, once, when an answer over HTTP/2 is given a header of
 * HTTP/1.1, which it leaves out.
 */
const EXPECTED = /^\{"level":"(?!error|fatal)|UnsupportedWarning: The provided connection header|--trace-warnings/;
const ID = 7;
const PARTITIONS = 4;
const OWN_TOPICS = [...WRITTEN_TOPICS, READ_TOPIC];
/** What is there for a reason: what is not would be growth that no fuzzer has to find. */
const KEPT_TOPICS = [...OWN_TOPICS, '__consumer_offsets'];
const SWEEP_PERIOD_MS = 1000;

/** One real broker with a ZooKeeper of its own, a plain and a TLS listener, and topics; everything goes with `stop`. */
export class Target {
  readonly ports: Ports;
  readonly #directory: string;
  readonly #zookeeper: ZooKeeperProcess;
  readonly #broker: BrokerProcess;
  readonly #stopping = new AbortController();
  #admin: Admin | null = null;
  #sweeping: Promise<void> = Promise.resolve();
  #topicIds: readonly string[] = [];

  private constructor(ports: Ports, directory: string, zookeeper: ZooKeeperProcess, broker: BrokerProcess) {
    this.ports = ports;
    this.#directory = directory;
    this.#zookeeper = zookeeper;
    this.#broker = broker;
  }

  static async start(): Promise<Target> {
    const directory = mkdtempSync(join(tmpdir(), 'samsa-fuzz-'));
    const zookeeper = await ZooKeeperProcess.start({ directory: join(directory, 'zookeeper') });
    const [plain, tls] = (await freePorts(2)) as [number, number];
    const broker = new BrokerProcess({
      id: ID,
      port: plain,
      zookeeper: zookeeper.connectString,
      directory,
      properties: properties(directory, { plain, tls }),
    });
    const target = new Target({ plain, tls }, directory, zookeeper, broker);
    try {
      await target.#open();
    } catch (error) {
      await target.stop();
      throw error;
    }
    return target;
  }

  get topicIds(): readonly string[] {
    return this.#topicIds;
  }

  get alive(): boolean {
    return this.#broker.running;
  }

  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.#broker.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  }

  /** Lines of its log that should not be there: errors, and what a crash leaves behind. */
  get complaints(): string[] {
    return this.#broker.output.split('\n').filter(line => line !== '' && !EXPECTED.test(line));
  }

  get lastLines(): string {
    return this.#broker.output.slice(-3000);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#admin?.close();
    await this.#sweeping;
    await this.#broker.kill();
    await this.#zookeeper.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    // Every connection that is ended for its noise is a line at info.
    this.#broker.spawn({ SAMSA_LOG_LEVEL: 'warn' });
    const settings = { 'bootstrap.servers': `127.0.0.1:${this.ports.plain}`, 'samsa.dialect': 'kafka' };
    const admin = createAdmin(settings);
    await waitFor('the broker to create topics', async () => {
      if (!this.alive) throw new Error(this.complaints.join('\n'));
      await admin.createTopics(
        OWN_TOPICS.map(name => ({ name, partitions: PARTITIONS, replicationFactor: 1, configs: configsOf(name) })),
      );
      return true;
    });
    const ids = await Promise.all(OWN_TOPICS.map(async name => (await admin.describeTopic(name)).topicId));
    this.#topicIds = ids;
    this.#admin = admin;
    this.#sweeping = this.#sweep(admin);
    await fill(settings);
  }

  /** Deletes the topics that the noise has made: a broker that grows with them does what it was asked to. */
  async #sweep(admin: Admin): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      // Whatever hinders it, the run itself will notice.
      const topics = await admin.listTopics().catch(() => []);
      const foreign = topics.map(({ name }) => name).filter(name => !KEPT_TOPICS.includes(name));
      if (foreign.length > 0) await admin.deleteTopics(foreign).catch(() => {});
      await sleep(SWEEP_PERIOD_MS, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }
}

function configsOf(name: string): Record<string, string> {
  if (name === READ_TOPIC) return {};
  if (name.endsWith('compacted'))
    return { 'cleanup.policy': 'compact,delete', 'segment.bytes': '1048576', 'retention.bytes': '2097152' };
  return { 'segment.bytes': '1048576', 'retention.bytes': '2097152' };
}

function properties(directory: string, { plain, tls }: Ports): Record<string, string> {
  const authority = CertificateAuthority.create(join(directory, 'authority'), 'Fuzz');
  return {
    listeners: `PLAINTEXT://127.0.0.1:${plain},SSL://127.0.0.1:${tls}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'auto.create.topics.enable': 'false',
    'offsets.topic.num.partitions': '2',
    'offsets.topic.segment.bytes': '1048576',
    // What is written over and over must not fill the disk.
    'log.retention.check.interval.ms': '5000',
    'log.segment.delete.delay.ms': '1000',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': authority.issue('broker').pemFile,
  };
}

/** Some records in every codec to be read. */
async function fill(settings: Record<string, string>): Promise<void> {
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const producer = createProducer({ ...settings, 'compression.type': codec });
    const sent = Array.from({ length: 100 }, (_, i) =>
      producer.send({ topic: READ_TOPIC, partition: i % PARTITIONS, key: `k${i}`, value: `value ${i} by ${codec}` }),
    );
    await Promise.all(sent);
    await producer.close();
  }
}
