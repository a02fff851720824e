import { createConsumer, createProducer, type Producer } from '../../client/index.ts';
import { waitFor } from './wait.ts';

export interface SteadyWriterOptions {
  readonly bootstrap: string;
  readonly topic: string;
  readonly partitions: number;
  /** Milliseconds between two rounds of one record a partition. Default 10. */
  readonly everyMs?: number;
  /** Added to the producer's settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/**
 * Writes numbered records to every partition at a steady pace, acks=all, while a test does its worst to the cluster,
 * and knows what must be there afterwards.
 */
export class SteadyWriter {
  /** Numbers that were acknowledged, by `partition:offset`. */
  readonly acknowledged = new Map<string, number>();
  readonly failed: Error[] = [];
  readonly #options: SteadyWriterOptions;
  readonly #producer: Producer;
  readonly #perPartition: number[];
  #next = 0;
  #stopping = false;
  #isPaused = false;
  readonly #done: Promise<void>;

  constructor(options: SteadyWriterOptions) {
    this.#options = options;
    this.#perPartition = new Array<number>(options.partitions).fill(0);
    this.#producer = createProducer({
      'bootstrap.servers': options.bootstrap,
      acks: 'all',
      'request.timeout.ms': 3_000,
      'delivery.timeout.ms': 60_000,
      ...options.settings,
    });
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    const { topic, partitions, everyMs = 10 } = this.#options;
    while (!this.#stopping) {
      for (let partition = 0; partition < partitions && !this.#isPaused; partition++) {
        const number = this.#next++;
        this.#producer.send({ topic, partition, value: String(number) }, (error, metadata) => {
          if (error !== null) this.failed.push(error);
          else {
            this.acknowledged.set(`${partition}:${metadata!.offset}`, number);
            this.#perPartition[partition]!++;
          }
        });
      }
      await new Promise(resolve => setTimeout(resolve, everyMs));
    }
  }

  /** Waits until every partition has had so many more records acknowledged. */
  async progress(records = 20): Promise<void> {
    const goals = this.#perPartition.map(count => count + records);
    await waitFor(`${records} more records in every partition of ${this.#options.topic}`, () => {
      return this.#perPartition.every((count, partition) => count >= goals[partition]!);
    });
  }

  /** Writes nothing until `resume`; resolves when the fate of what was written is known. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#producer.flush();
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** Stops writing and waits until the fate of every record is known. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
    await this.#producer.flush();
    await this.#producer.close();
  }

  /** What is acknowledged but is not, or is not the same, at its offset: `partition:offset` of each. */
  async lost(): Promise<string[]> {
    const read = await readTopic(this.#options.bootstrap, this.#options.topic, this.#options.partitions);
    return [...this.acknowledged]
      .filter(([place, number]) => read.get(place) !== String(number))
      .map(([place]) => place);
  }
}

/** The values of all records by `partition:offset`. */
export async function readTopic(bootstrap: string, topic: string, count: number): Promise<Map<string, string>> {
  const consumer = createConsumer({
    'bootstrap.servers': bootstrap,
    'auto.offset.reset': 'earliest',
    'max.poll.records': 5_000,
    'request.timeout.ms': 5_000,
  });
  try {
    const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
    const total = (await consumer.endOffsets(partitions)).reduce((sum, end) => sum + end, 0);
    consumer.assign(partitions);
    const read = new Map<string, string>();
    await waitFor(`all records of ${topic} to be read`, async () => {
      if (read.size >= total) return true;
      for (const record of await consumer.poll(500)) {
        read.set(`${record.partition}:${record.offset}`, record.value!.toString());
      }
      return false;
    });
    return read;
  } finally {
    await consumer.close();
  }
}
