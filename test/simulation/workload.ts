import { createAdmin } from '../../client/create/admin.ts';
import { createConsumer } from '../../client/create/consumer.ts';
import { createProducer } from '../../client/create/producer.ts';
import type { Producer } from '../../client/producer/producer.ts';
import { ElectLeaders } from '../../shared/protocol/messages/elect-leaders.ts';
import { silentLogger } from '../../shared/runtime/logger.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { History } from './history.ts';
import { ALL_PARTITIONS, ALL_TOPICS, CREATED_TOPICS, PARTITIONS } from './topics.ts';
import type { World } from './world.ts';

/** Milliseconds between records, at most. */
const PAUSE_MS = 60;

/** Clients that write and read all the time, through the SDK, and what they were told. */
export class Workload {
  readonly history = new History();
  readonly #world: World;
  readonly #producers: Producer[] = [];
  readonly #admin;
  /** Reassignments that may still be asked for. */
  readonly #orders = new Set<Promise<unknown>>();
  #isWriting = true;
  #isReading = true;
  #count = 0;

  constructor(world: World) {
    this.#world = world;
    this.#admin = createAdmin(this.#settings(), this.#parts('admin'));
  }

  #settings(): Record<string, string> {
    const servers = this.#world.brokers.map(({ name }) => `${name}:9092`).join(',');
    return { 'bootstrap.servers': servers, 'request.timeout.ms': '5000' };
  }

  #parts(name: string) {
    const { time, random } = this.#world;
    const runtime = { clock: time, timers: time, random: seededRandom(random.int(2 ** 31)), logger: silentLogger };
    return { connector: this.#world.clientConnector(name), runtime };
  }

  async createTopics(): Promise<void> {
    await this.#admin.createTopics(
      CREATED_TOPICS.map(({ name, numPartitions, replicationFactor }) => ({
        name,
        partitions: numPartitions,
        replicationFactor,
      })),
    );
  }

  /** Moves leaderships about; that it may fail is nobody's concern. */
  async electPreferred(): Promise<void> {
    const topicPartitions = ALL_TOPICS.map(({ name, numPartitions }) => ({
      topic: name,
      partitions: Array.from({ length: numPartitions }, (_, partition) => partition),
    }));
    try {
      const { controllerId } = await this.#admin.describeCluster();
      const connection = await this.#admin.connectionTo(controllerId);
      await connection.call(ElectLeaders, { electionType: 0, topicPartitions, timeoutMs: 3_000 });
    } catch {
      // It is part of the trouble.
    }
  }

  /** Orders a partition elsewhere, or back (null); that it may fail is nobody's concern. */
  async reassign(where: TopicPartition, replicas: readonly number[] | null): Promise<void> {
    const order = this.#admin.alterPartitionReassignments([{ ...where, replicas }]).catch(() => []);
    this.#orders.add(order);
    await order;
    this.#orders.delete(order);
  }

  /**
   * Puts every partition on every broker again, over whatever is under way. First the orders that are still tried must
   * have had their end: they would move it again.
   */
  async spreadAgain(): Promise<void> {
    await Promise.all(this.#orders);
    const ids = this.#world.brokers.map(({ id }) => id);
    for (;;) {
      const astray = ALL_PARTITIONS.filter(each => !this.#world.isOnAll(each.topic, each.partition));
      if (astray.length === 0) return;
      for (const where of astray) await this.reassign(where, ids);
      await this.#world.time.sleep(2_000);
    }
  }

  start(): void {
    const linger = String(this.#world.random.int(3) * 5);
    void this.#write('writer', { acks: 'all', 'linger.ms': linger });
    void this.#write('careless', { acks: '1' });
    void this.#read();
  }

  async #write(name: string, settings: Record<string, string>): Promise<void> {
    const { time, random } = this.#world;
    const limits = { 'delivery.timeout.ms': '12000', 'max.block.ms': '3000' };
    const producer = createProducer({ ...this.#settings(), ...limits, ...settings }, this.#parts(name));
    this.#producers.push(producer);
    while (this.#isWriting) {
      const { topic, partition } = PARTITIONS[random.int(PARTITIONS.length)]!;
      this.#send(producer, topic, partition, settings.acks === 'all');
      await time.sleep(random.int(PAUSE_MS));
    }
  }

  #send(producer: Producer, topic: string, partition: number, isChecked: boolean): void {
    const sequence = this.#count++;
    const padding = 'x'.repeat(this.#world.random.int(200));
    const value = `${sequence} ${isChecked ? 'all' : 'one'} ${padding}`;
    const sent = producer.send({ topic, partition, value });
    sent?.then(
      ({ offset }) => {
        if (isChecked) this.history.acknowledged({ key: partitionKey(topic, partition), offset, sequence, value });
      },
      () => this.history.refused++,
    );
  }

  async #read(): Promise<void> {
    const settings = { ...this.#settings(), 'auto.offset.reset': 'earliest', 'fetch.max.wait.ms': '300' };
    const consumer = createConsumer(settings, this.#parts('reader'));
    consumer.assign(PARTITIONS.map(each => ({ ...each })));
    while (this.#isReading) {
      try {
        for (const { topic, partition, offset, value } of await consumer.poll(500)) {
          this.history.seen(partitionKey(topic, partition), offset, String(value));
        }
      } catch {
        // A reader waits for better times.
      }
      await this.#world.time.sleep(20);
    }
    await consumer.close();
  }

  /** No more writes; resolves when all are answered. */
  async stopWriting(): Promise<void> {
    this.#isWriting = false;
    await Promise.all(this.#producers.map(producer => producer.flush()));
  }

  /** One more record each, which must succeed. */
  async writeToAll(): Promise<void> {
    const [producer] = this.#producers;
    for (const { topic, partition } of PARTITIONS) this.#send(producer!, topic, partition, true);
    await producer!.flush();
  }

  async stop(): Promise<void> {
    this.#isReading = false;
    await this.#world.time.sleep(1_000);
    for (const producer of this.#producers) await producer.close();
    this.#admin.close();
  }
}
