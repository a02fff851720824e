import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TransactionCoordinator, type InitResult } from '../../../../broker/transaction/coordinator.ts';
import { decodeRecord } from '../../../../broker/transaction/log-records.ts';
import type { MarkerAnswer, MarkerEntry, MarkerSender } from '../../../../broker/transaction/ports.ts';
import { mayFollow, type TransactionState } from '../../../../broker/transaction/states.ts';
import type { TransactionContent } from '../../../../broker/transaction/transaction.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { setBaseOffset } from '../../../../shared/records/batch.ts';
import { RecordCursor } from '../../../../shared/records/record-cursor.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import type { Random } from '../../../../shared/runtime/random.ts';
import { ManualTime } from '../../../support/manual-time.ts';
import { chaosRuns } from '../../../support/property-runs.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

/**
 * Producers, their zombies and successors use a few transactional ids, while coordinators die or are deposed without
 * noticing, the log refuses records or takes them without saying so, markers and their answers are lost, and transactions
 * time out. What the partitions have got in the end is judged by what the producers were answered.
 */

const IDS = ['anna', 'boris'];
const PARTITIONS = ['orders-0', 'orders-1', 'bills-0'];
const TIMEOUT_MS = 3000;

/** A transaction as its producer sees it. */
interface Attempt {
  readonly name: string;
  /** Partitions that it wrote to. */
  readonly written: Set<string>;
  asked: 'commit' | 'abort' | null;
  answered: 'commit' | 'abort' | null;
}

interface ProducerInPartition {
  epoch: number;
  coordinatorEpoch: number;
  open: Attempt | null;
}

/** A partition of a topic: what its log's state of producers makes of records and markers. */
class DataPartition {
  readonly #producers = new Map<number, ProducerInPartition>();
  readonly outcomes = new Map<Attempt, Set<string>>();

  #producer(id: number): ProducerInPartition {
    let producer = this.#producers.get(id);
    if (producer === undefined) this.#producers.set(id, (producer = { epoch: -1, coordinatorEpoch: -1, open: null }));
    return producer;
  }

  /** @returns whether the producer may write */
  write({ producerId, producerEpoch }: InitResult, attempt: Attempt): boolean {
    const producer = this.#producer(producerId);
    if (producerEpoch < producer.epoch) return false;
    if (producer.open !== null && producer.open !== attempt)
      throw new Error(`${attempt.name} begins while ${producer.open.name} is open`);
    producer.epoch = producerEpoch;
    producer.open = attempt;
    return true;
  }

  mark({ producerId, producerEpoch, coordinatorEpoch, transactionResult }: MarkerEntry): ErrorCode {
    const producer = this.#producer(producerId);
    if (producerEpoch < producer.epoch) return ErrorCode.INVALID_PRODUCER_EPOCH;
    if (coordinatorEpoch < producer.coordinatorEpoch) return ErrorCode.TRANSACTION_COORDINATOR_FENCED;
    producer.epoch = producerEpoch;
    producer.coordinatorEpoch = coordinatorEpoch;
    if (producer.open !== null) {
      const outcomes = this.outcomes.get(producer.open) ?? new Set();
      this.outcomes.set(producer.open, outcomes.add(transactionResult ? 'commit' : 'abort'));
    }
    producer.open = null;
    return ErrorCode.NONE;
  }

  open(): string[] {
    return [...this.#producers.values()].flatMap(({ open }) => (open === null ? [] : [open.name]));
  }
}

class World {
  readonly time = new ManualTime();
  readonly random: Random;
  readonly #losesAnswers: boolean;
  readonly partitions = new Map(PARTITIONS.map(name => [name, new DataPartition()]));
  readonly attempts: Attempt[] = [];
  /** `__transaction_state`, one partition of it. */
  readonly #log: Buffer[] = [];
  /** Ids whose last record was refused, or taken without an answer: what the coordinator knows of them may differ. */
  readonly #doubtful = new Set<string>();
  coordinator: TransactionCoordinator | null = null;
  epoch = -1;
  isKind = false;
  #nextProducerId = 1000;
  /** By id, the identities that were given away, the last one last. */
  readonly given = new Map(IDS.map(id => [id, [] as InitResult[]]));

  /** @param losesAnswers records are taken sometimes, and nobody is told */
  constructor(seed: number, losesAnswers: boolean) {
    this.random = seededRandom(seed);
    this.#losesAnswers = losesAnswers;
  }

  chance(percent: number): boolean {
    return !this.isKind && this.random.int(100) < percent;
  }

  pause(maxMs: number): Promise<void> {
    return this.time.timers.sleep(this.random.int(maxMs));
  }

  /** The next coordinator takes over; the former one is dead, or does not know yet that it is not in office. */
  async replaceCoordinator(): Promise<void> {
    const former = this.coordinator;
    const before = new Map(IDS.map(id => [id, this.#durable(id)]));
    const doubtful = new Set(this.#doubtful);
    this.epoch += 1;
    this.coordinator = null;
    if (former !== null && this.chance(50)) this.time.timers.after(this.random.int(500), () => former.shutdown());
    else former?.shutdown();
    const next = this.#build(this.epoch);
    next.startup();
    await next.elect(0);
    for (const id of IDS) {
      const known = before.get(id)!;
      if (known !== null && !doubtful.has(id)) expect(durable(next.describe(id).content)).toEqual(known);
    }
    this.coordinator = next;
  }

  /** What was answered about an id, if nothing is under way. */
  #durable(id: string): object | null {
    const content = this.coordinator?.describe(id).content;
    const isSettled = content !== null && content !== undefined && !this.#isWriting.has(id);
    return isSettled ? durable(content) : null;
  }

  readonly #isWriting = new Map<string, number>();

  #build(epoch: number): TransactionCoordinator {
    return new TransactionCoordinator({
      partitionCount: 1,
      settings: () => ({
        maxTimeoutMs: 60_000,
        timeoutCheckIntervalMs: 1000,
        idExpirationMs: 10_000,
        expiryCheckIntervalMs: 5000,
        loadBufferSize: 1000,
        requestTimeoutMs: 1000,
      }),
      producerIds: { generate: () => Promise.resolve(this.chance(5) ? null : this.#nextProducerId++) },
      writer: { append: (_, batch) => this.#append(epoch, batch) },
      reader: {
        open: () => ({
          leaderEpoch: epoch,
          logStartOffset: 0,
          logEndOffset: this.#log.length,
          highWatermark: this.#log.length,
          read: offset => Promise.resolve(this.#log.slice(offset, offset + 7)),
        }),
      },
      markers: this.#sender(),
      clock: this.time.clock,
      timers: this.time.timers,
      logger: silentLogger,
    });
  }

  async #append(epoch: number, batch: Buffer): Promise<ErrorCode> {
    if (epoch !== this.epoch) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    const ids = idsOf(batch);
    if (this.chance(5)) {
      for (const id of ids) this.#doubtful.add(id);
      return ErrorCode.NOT_ENOUGH_REPLICAS;
    }
    const copy = Buffer.from(batch);
    // A tombstone of many is one batch: its offset is its place all the same.
    setBaseOffset(copy, 0, this.#log.length);
    this.#log.push(...splitInto(copy, ids.length));
    for (const id of ids) this.#isWriting.set(id, (this.#isWriting.get(id) ?? 0) + 1);
    const isLost = this.#losesAnswers && this.chance(3);
    await this.pause(isLost ? 300 : 20);
    for (const id of ids) {
      const left = this.#isWriting.get(id)! - 1;
      if (left === 0) this.#isWriting.delete(id);
      else this.#isWriting.set(id, left);
      if (isLost) this.#doubtful.add(id);
      else this.#doubtful.delete(id);
    }
    if (epoch !== this.epoch) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    return isLost ? ErrorCode.REQUEST_TIMED_OUT : ErrorCode.NONE;
  }

  #sender(): MarkerSender {
    return {
      leaderOf: (_topic, partition) => (this.chance(10) ? null : partition),
      send: async (_brokerId, markers) => {
        if (this.chance(10)) throw new Error('it could not be sent');
        await this.pause(this.chance(10) ? 1000 : 30);
        const answers = markers.map(marker => this.#mark(marker));
        if (this.chance(10)) throw new Error('its answer is lost');
        return answers;
      },
      close: () => {},
    };
  }

  #mark(marker: MarkerEntry): MarkerAnswer {
    const topics = marker.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({
        partitionIndex,
        errorCode: this.chance(10)
          ? ErrorCode.NOT_LEADER_OR_FOLLOWER
          : this.partitions.get(`${name}-${partitionIndex}`)!.mark(marker),
      })),
    }));
    return { producerId: marker.producerId, topics };
  }

  /** Of each id, the states in the log, one after the other. */
  histories(): Map<string, TransactionState[]> {
    const histories = new Map<string, TransactionState[]>();
    for (const bytes of this.#log.filter(({ length }) => length > 0)) {
      for (const cursor = new RecordCursor().reset(bytes); cursor.next();) {
        const record = decodeRecord(cursor.key()!, cursor.value());
        if (record.kind !== 'transaction') continue;
        const history = histories.get(record.transactionalId) ?? [];
        history.push(record.content?.state ?? 'Dead');
        histories.set(record.transactionalId, history);
      }
    }
    return histories;
  }
}

/** Batches of several records lie at several offsets; readers get them once. */
function splitInto(batch: Buffer, offsets: number): Buffer[] {
  return [batch, ...Array.from({ length: offsets - 1 }, () => Buffer.alloc(0))];
}

function idsOf(batch: Buffer): string[] {
  const ids: string[] = [];
  for (const cursor = new RecordCursor().reset(batch); cursor.next();) {
    const record = decodeRecord(cursor.key()!, cursor.value());
    if (record.kind === 'transaction') ids.push(record.transactionalId);
  }
  return ids;
}

/** What is in the log of what is known; of a transaction that is ending, the partitions that have been told are not. */
function durable(content: TransactionContent | null): object | null {
  if (content === null) return null;
  const { state, producerId, producerEpoch, timeoutMs, startMs, lastUpdateMs, partitions } = content;
  const isEnding = state.startsWith('Prepare');
  const known = isEnding ? null : [...partitions].map(([topic, ids]) => `${topic}: ${[...ids].join()}`);
  return { state, producerId, producerEpoch, timeoutMs, startMs, lastUpdateMs, known };
}

const RETRIABLE: readonly ErrorCode[] = [
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.NOT_COORDINATOR,
];

/** A producer's process: it begins, makes transactions until it is fenced, pauses, and begins again. */
class Process {
  readonly #world: World;
  readonly #id: string;

  constructor(world: World, id: string) {
    this.#world = world;
    this.#id = id;
  }

  async live(lives: number): Promise<void> {
    for (let life = 0; life < lives; life++) {
      const me = await this.#init(null);
      if (me !== null) await this.#transactions(me, `${this.#id}/${me.producerId}/${me.producerEpoch}`);
      await this.#world.pause(this.#world.chance(20) ? 15_000 : 500);
    }
  }

  async #init(expected: InitResult | null): Promise<InitResult | null> {
    const request = { transactionalId: this.#id, timeoutMs: TIMEOUT_MS, expected };
    const given = this.#world.given.get(this.#id)!;
    for (;;) {
      const result = await this.#ask(coordinator => coordinator.initProducerId(request), {
        errorCode: -1,
      } as InitResult);
      if (result.errorCode === ErrorCode.NONE) {
        given.push(result);
        return result;
      }
      if (!RETRIABLE.includes(result.errorCode)) return null;
      await this.#world.pause(100);
    }
  }

  async #transactions(me: InitResult, name: string): Promise<void> {
    for (let n = 0; n < 3; n++) {
      const attempt: Attempt = { name: `${name}#${n}`, written: new Set(), asked: null, answered: null };
      this.#world.attempts.push(attempt);
      if (!(await this.#transact(me, attempt))) return;
      if (this.#world.chance(15)) {
        const next = await this.#init(me);
        if (next === null) return;
        me = next;
      }
    }
  }

  /** @returns whether the producer may go on */
  async #transact(me: InitResult, attempt: Attempt): Promise<boolean> {
    const { random } = this.#world;
    for (const name of PARTITIONS) {
      if (random.int(3) === 0) continue;
      const at = name.lastIndexOf('-');
      const partitions = [{ topic: name.slice(0, at), partition: Number(name.slice(at + 1)) }];
      const producer = { transactionalId: this.#id, ...me };
      const code = await this.#until(me, coordinator => coordinator.addPartitions(producer, partitions));
      if (code !== ErrorCode.NONE) return false;
      if (!this.#world.partitions.get(name)!.write(me, attempt)) return false;
      attempt.written.add(name);
      await this.#world.pause(this.#world.chance(5) ? 5000 : 50);
    }
    if (attempt.written.size === 0) return true;
    const isCommit = random.int(2) === 0;
    attempt.asked = isCommit ? 'commit' : 'abort';
    const producer = { transactionalId: this.#id, ...me };
    const code = await this.#until(me, coordinator => coordinator.endTransaction(producer, isCommit));
    if (code === ErrorCode.NONE) attempt.answered = attempt.asked;
    return code === ErrorCode.NONE;
  }

  /** Asks again and again, as clients do, until the answer is final. */
  async #until(me: InitResult, ask: (coordinator: TransactionCoordinator) => Promise<ErrorCode>): Promise<ErrorCode> {
    for (;;) {
      const isFenced = this.#isFenced(me);
      const code = await this.#ask(ask, ErrorCode.NOT_COORDINATOR);
      if (code === ErrorCode.NONE && isFenced)
        throw new Error(`${this.#id}/${me.producerEpoch} is fenced, and was served`);
      if (!RETRIABLE.includes(code)) return code;
      await this.#world.pause(100);
    }
  }

  #isFenced(me: InitResult): boolean {
    const last = this.#world.given.get(this.#id)!.at(-1)!;
    return last.producerId !== me.producerId || last.producerEpoch !== me.producerEpoch;
  }

  async #ask<T>(ask: (coordinator: TransactionCoordinator) => Promise<T>, nobody: T): Promise<T> {
    const { coordinator } = this.#world;
    await this.#world.pause(10);
    return coordinator === null ? nobody : ask(coordinator);
  }
}

async function live(seed: number, losesAnswers = true): Promise<World> {
  const world = new World(seed, losesAnswers);
  await world.replaceCoordinator();
  const lives = IDS.flatMap(id => [0, 1].map(() => new Process(world, id).live(3)));
  let isOver = false;
  const all = Promise.all(lives).finally(() => (isOver = true));
  // What goes wrong there is told when it is awaited.
  all.catch(() => {});
  for (let moment = 0; !isOver && moment < 3000; moment++) {
    await world.time.advance(world.random.int(200));
    if (world.chance(4)) await world.replaceCoordinator();
  }
  world.isKind = true;
  for (let second = 0; !isOver && second < 300; second++) await world.time.advance(1000);
  expect(isOver).toBe(true);
  await all;
  await world.time.advance(TIMEOUT_MS + 5000);
  return world;
}

function judge(world: World): void {
  for (const [name, partition] of world.partitions) expect([name, partition.open()]).toEqual([name, []]);
  for (const { name, written, asked, answered } of world.attempts) {
    const outcomes = new Set([...written].flatMap(tp => [...outcomesOf(world.partitions.get(tp)!, name)]));
    const told = [...outcomes];
    if (written.size > 0) expect([name, told.length]).toEqual([name, 1]);
    if (answered !== null) expect([name, ...told]).toEqual([name, answered]);
    else if (asked !== 'commit') expect([name, ...told]).toEqual(written.size > 0 ? [name, 'abort'] : [name]);
  }
  for (const id of IDS) {
    const state = world.coordinator!.describe(id).content?.state ?? 'Empty';
    expect([id, state]).toEqual([id, expect.toBeOneOf(['Empty', 'CompleteCommit', 'CompleteAbort'])]);
    const identities = world.given
      .get(id)!
      .map(({ producerId, producerEpoch }) => producerId * 100_000 + producerEpoch);
    expect(identities).toEqual([...new Set(identities)].sort((a, b) => a - b));
  }
}

function outcomesOf({ outcomes }: DataPartition, name: string): Set<string> {
  return [...outcomes].find(([attempt]) => attempt.name === name)?.[1] ?? new Set();
}

test('every transaction ends in all its partitions as its producer was told, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async seed => judge(await live(seed))),
    chaosRuns(15),
  );
}, 300_000);

test('a log that loses no answers has only transitions that there are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async seed => {
      const world = await live(seed, false);
      judge(world);
      for (const history of world.histories().values())
        for (let i = 1; i < history.length; i++) {
          const [state, next] = [history[i - 1]!, history[i]!];
          const isAllowed = state === 'Dead' ? next === 'Empty' : mayFollow(state, next);
          expect([state, next, isAllowed]).toEqual([state, next, true]);
        }
    }),
    chaosRuns(5),
  );
}, 300_000);
