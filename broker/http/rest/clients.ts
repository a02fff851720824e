import {
  createAdmin,
  createConsumer,
  createMemberCommits,
  createProducer,
  type Admin,
  type ClientParts,
  type ClientSettings,
  type Consumer,
  type MemberCommits,
  type Producer,
} from '../../../client/index.ts';
import type { Isolation } from './read-options.ts';

export type Acks = 'all' | '1' | '0';

/** How long a REST request waits for the cluster: shorter than what people and proxies wait for an answer. */
const LIMITS = {
  'request.timeout.ms': 10_000,
  'default.api.timeout.ms': 20_000,
  'delivery.timeout.ms': 25_000,
  'max.block.ms': 5_000,
};

/** What a member of a group is told; the rest is as in Kafka. */
export interface MemberSettings {
  readonly group: string;
  /** Where to begin where the group has never been. */
  readonly start: 'earliest' | 'latest';
  readonly autoCommit: boolean;
  /** Of one fetch, which is what a slow reader can hold. */
  readonly maxBytes: number;
  readonly sessionTimeoutMs: number;
  readonly maxPollIntervalMs: number;
  /** Names of assignors, the preferred one first. */
  readonly assignors: string;
  readonly isolation: Isolation;
}

/** The clients behind the REST paths: one producer a kind of acknowledgement, one admin and one committer, shared; a consumer a reader. */
export class RestClients {
  readonly #parts: ClientParts;
  readonly #producers = new Map<Acks, Producer>();
  #admin: Admin | null = null;
  #commits: MemberCommits | null = null;

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
  consumer(maxBytes: number, isolation: Isolation): Consumer {
    return this.#consumer(maxBytes, { 'auto.offset.reset': 'none', 'isolation.level': isolation });
  }

  /** A consumer that is to be a member of a group: the caller subscribes and closes it. @throws KafkaError for a bad setting */
  member(settings: MemberSettings): Consumer {
    const { group, start, autoCommit, maxBytes, sessionTimeoutMs, maxPollIntervalMs, assignors, isolation } = settings;
    return this.#consumer(maxBytes, {
      'group.id': group,
      'auto.offset.reset': start,
      'enable.auto.commit': autoCommit,
      'session.timeout.ms': sessionTimeoutMs,
      'heartbeat.interval.ms': Math.ceil(sessionTimeoutMs / 5),
      'max.poll.interval.ms': maxPollIntervalMs,
      'partition.assignment.strategy': assignors,
      'isolation.level': isolation,
    });
  }

  #consumer(maxBytes: number, settings: ClientSettings): Consumer {
    const all = {
      'client.id': 'rest-consumer',
      'allow.auto.create.topics': false,
      'fetch.max.bytes': maxBytes,
      'max.partition.fetch.bytes': maxBytes,
      ...LIMITS,
      ...settings,
    };
    return createConsumer(all, this.#parts);
  }

  /** What commits for members whose streams may be at any broker. */
  commits(): MemberCommits {
    this.#commits ??= createMemberCommits({ 'client.id': 'rest-commits', ...LIMITS }, this.#parts);
    return this.#commits;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#producers.values()].map(producer => producer.close(1_000)));
    this.#admin?.close();
    this.#commits?.close();
  }
}
