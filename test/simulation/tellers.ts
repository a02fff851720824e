import { createConsumer } from '../../client/create/consumer.ts';
import { createProducer } from '../../client/create/producer.ts';
import { KafkaError, TransactionError } from '../../client/index.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Producer } from '../../client/producer/producer.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { TransferHistory } from '../support/transfer-history.ts';
import { SimulatedConnector } from './connector.ts';
import { Life } from './life.ts';
import { TRANSFER_PARTITIONS } from './topics.ts';
import type { World } from './world.ts';

export const TELLER_NAMES: readonly string[] = ['teller-1', 'teller-2'];
/** After which coordinators abort a transaction by themselves. */
const TRANSACTION_TIMEOUT_MS = 5_000;
/** Milliseconds between transactions, at most. */
const PAUSE_MS = 1_200;

/**
 * A program of which only one copy should run, and of which there may be two: a copy that was frozen does not know that
 * another one has taken its transactional id.
 */
export class Teller {
  readonly name: string;
  readonly #world: World;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #history: TransferHistory;
  readonly #random: Random;
  readonly #lives = new Set<Life>();
  #count = 0;
  #isOver = false;

  constructor(name: string, world: World, settings: Readonly<Record<string, string>>, history: TransferHistory) {
    this.name = name;
    this.#world = world;
    this.#settings = settings;
    this.#history = history;
    this.#random = seededRandom(world.random.int(2 ** 31));
  }

  /** A copy that may fail now. */
  get running(): Life | null {
    return [...this.#lives].find(({ isFrozen }) => !isFrozen) ?? null;
  }

  start(): void {
    const world = this.#world;
    world.note(`${this.name} starts`);
    const life = new Life(world.time);
    this.#lives.add(life);
    void this.#work(life);
  }

  async #work(life: Life): Promise<void> {
    while (!this.#isOver) {
      const producer = this.#producer(life);
      try {
        await this.#serve(producer, life);
      } catch (error) {
        this.#world.note(`${this.name}: ${(error as Error).message}`);
        // A copy that hears of another one goes; otherwise the two would fence each other for ever.
        if (isFenced(error) && this.#lives.size > 1) break;
      }
      void producer.close(0);
      await life.sleep(500);
    }
    this.#lives.delete(life);
  }

  #producer(life: Life): Producer {
    const world = this.#world;
    const parts = world.connectorParts(this.name, life);
    const connector = new SimulatedConnector({ ...parts, requestTimeoutMs: 5_000, negotiate: true });
    const random = seededRandom(this.#random.int(2 ** 31));
    const runtime = { clock: world.time, timers: life, random, logger: world.loggerOf(this.name) };
    return createProducer({ ...this.#settings, 'transactional.id': this.name }, { connector, runtime });
  }

  /** Until another copy has fenced this one, or something else is beyond mending. */
  async #serve(producer: Producer, life: Life): Promise<void> {
    await untilKnown(() => producer.initTransactions());
    while (!this.#isOver) {
      await this.#transfer(producer);
      await life.sleep(this.#random.int(PAUSE_MS));
    }
  }

  async #transfer(producer: Producer): Promise<void> {
    const number = this.#count++;
    const values = this.#values(number);
    const transfer = this.#history.begin(this.name, number, values);
    producer.beginTransaction();
    for (const { topic, partition } of TRANSFER_PARTITIONS) {
      for (const value of values.get(partitionKey(topic, partition)) ?? [])
        void producer.send({ topic, partition, value });
    }
    try {
      if (this.#random.int(4) > 0) {
        await untilKnown(() => producer.commitTransaction());
        transfer.outcome = 'committed';
        return;
      }
    } catch (error) {
      if (!(error instanceof TransactionError) || error.isFatal) throw error;
      this.#world.note(`${this.name} ${number}: ${error.message}`);
    }
    await untilKnown(() => producer.abortTransaction());
    transfer.outcome = 'aborted';
  }

  #values(number: number): Map<string, string[]> {
    const values = new Map<string, string[]>();
    const copy = this.#random.int(1000);
    for (const { topic, partition } of TRANSFER_PARTITIONS) {
      const key = partitionKey(topic, partition);
      const count = 1 + this.#random.int(3);
      values.set(
        key,
        Array.from({ length: count }, (_, i) => `${this.name} ${number} ${i} of ${count} (${copy})`),
      );
    }
    return values;
  }

  /** kill -9; another copy is started later. */
  kill(life: Life): void {
    this.#world.note(`${this.name} is killed`);
    life.end();
    this.#lives.delete(life);
    for (const connection of this.#world.network.connections) if (connection.isOf(life)) connection.reset();
  }

  /** All copies finish what they are at. */
  stop(): void {
    this.#isOver = true;
  }
}

/** Two programs that move things between partitions, and a reader of what is committed. */
export class Tellers {
  readonly history = new TransferHistory();
  readonly tellers: readonly Teller[];
  readonly #world: World;
  #isReading = true;

  constructor(world: World) {
    this.#world = world;
    const settings = {
      'bootstrap.servers': world.brokers.map(({ name }) => `${name}:9092`).join(','),
      'transaction.timeout.ms': String(TRANSACTION_TIMEOUT_MS),
      'request.timeout.ms': '5000',
      'delivery.timeout.ms': '12000',
      'max.block.ms': '4000',
    };
    this.tellers = TELLER_NAMES.map(name => new Teller(name, world, settings, this.history));
  }

  start(): void {
    for (const teller of this.tellers) teller.start();
    void this.#read();
  }

  async #read(): Promise<void> {
    const world = this.#world;
    const settings = {
      'bootstrap.servers': world.brokers.map(({ name }) => `${name}:9092`).join(','),
      'isolation.level': 'read_committed',
      'auto.offset.reset': 'earliest',
      'request.timeout.ms': '5000',
      'fetch.max.wait.ms': '300',
    };
    const connector = world.clientConnector('auditor');
    const random = seededRandom(world.random.int(2 ** 31));
    const runtime = { clock: world.time, timers: world.time, random, logger: world.loggerOf('auditor') };
    const consumer = createConsumer(settings, { connector, runtime });
    consumer.assign(TRANSFER_PARTITIONS.map(each => ({ ...each })));
    while (this.#isReading) {
      try {
        for (const { topic, partition, offset, value } of await consumer.poll(500))
          this.history.seen(partitionKey(topic, partition), offset, String(value));
      } catch {
        // A reader waits for better times.
      }
      await world.time.sleep(20);
    }
    await consumer.close();
  }

  /** No more transactions. What is open then, nobody will end but its coordinator. */
  async stop(): Promise<void> {
    for (const teller of this.tellers) teller.stop();
    await this.#world.time.sleep(3 * TRANSACTION_TIMEOUT_MS);
    this.#isReading = false;
  }
}

function isFenced(error: unknown): boolean {
  const { PRODUCER_FENCED, INVALID_PRODUCER_EPOCH } = ErrorCode;
  return error instanceof TransactionError && [PRODUCER_FENCED, INVALID_PRODUCER_EPOCH].includes(error.code as never);
}

/** That it takes long is no outcome. */
async function untilKnown(step: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await step();
      return;
    } catch (error) {
      const isLate = error instanceof KafkaError && error.code === ErrorCode.REQUEST_TIMED_OUT;
      if (!isLate || error instanceof TransactionError) throw error;
    }
  }
}
