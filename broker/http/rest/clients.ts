import {
  createAdmin,
  createConsumer,
  createProducer,
  type Admin,
  type ClientParts,
  type Consumer,
  type Producer,
} from '../../../client/index.ts';

export type Acks = 'all' | '1' | '0';

/** How long a REST request waits for the cluster: shorter than what people and proxies wait for an answer. */
const LIMITS = {
  'request.timeout.ms': 10_000,
  'default.api.timeout.ms': 20_000,
  'delivery.timeout.ms': 25_000,
  'max.block.ms': 5_000,
};

/** The clients behind the REST paths: one producer a kind of acknowledgement and one admin, shared; a consumer a reader. */
export class RestClients {
  readonly #parts: ClientParts;
  readonly #producers = new Map<Acks, Producer>();
  #admin: Admin | null = null;

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  producer(acks: Acks): Producer {
    let producer = this.#producers.get(acks);
    if (producer === undefined) {
      producer = createProducer({ acks, 'client.id': 'rest-producer', ...LIMITS }, this.#parts);
      this.#producers.set(acks, producer);
    }
    return producer;
  }

  admin(): Admin {
    this.#admin ??= createAdmin({ 'client.id': 'rest-admin', ...LIMITS }, this.#parts);
    return this.#admin;
  }

  /** A consumer of its own: the caller closes it. @param maxBytes of one fetch, which is what a slow reader can hold */
  consumer(maxBytes: number): Consumer {
    const settings = {
      'client.id': 'rest-consumer',
      'auto.offset.reset': 'none',
      'allow.auto.create.topics': false,
      'fetch.max.bytes': maxBytes,
      'max.partition.fetch.bytes': maxBytes,
      ...LIMITS,
    };
    return createConsumer(settings, this.#parts);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#producers.values()].map(producer => producer.close(1_000)));
    this.#admin?.close();
  }
}
