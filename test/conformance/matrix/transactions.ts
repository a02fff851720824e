import { expect } from 'vitest';
import { createConsumer, createProducer } from '../../../client/index.ts';
import { waitFor } from '../../support/wait.ts';
import type { FeatureId } from './features.ts';
import { ForeignMember } from './foreign-member.ts';
import type { Commands, DriverRecord } from './foreign-client.ts';
import { membershipOf } from './groups.ts';
import type { Examination, Stage } from './stage.ts';

const LAST = 'the end';

function recordsOf(values: readonly string[]): DriverRecord[] {
  return values.map(value => ({ key: null, value, partition: 0, headers: [], timestamp: null }));
}

const series = (name: string, count = 10): string[] => Array.from({ length: count }, (_, n) => `${name} ${n}`);

/** The values that readers of committed records see, up to the last one, which has been committed or soon will be. */
async function committed(stage: Stage, topic: string, last: string): Promise<string[]> {
  const consumer = createConsumer({
    'bootstrap.servers': stage.cluster.bootstrap,
    'isolation.level': 'read_committed',
    'auto.offset.reset': 'earliest',
  });
  const values: string[] = [];
  try {
    consumer.assign([{ topic, partition: 0 }]);
    await waitFor(`'${last}' in ${topic}`, async () => {
      values.push(...(await consumer.poll(100)).map(({ value }) => String(value)));
      return values.includes(last);
    });
  } finally {
    await consumer.close();
  }
  return values;
}

/** All values in the log, whatever has become of them; there are at least `count`. */
async function written(stage: Stage, topic: string, count: number): Promise<string[]> {
  const batches = await stage.stored(topic, 0, count);
  return batches.flatMap(({ records }) => records.map(({ value }) => value));
}

/** A transactional producer of the client, and what it is told to do in its transactions. */
class Transacting {
  readonly #client: Examination['client'];
  readonly #producer: string;
  readonly #topic: string;

  private constructor(client: Examination['client'], producer: string, topic: string) {
    this.#client = client;
    this.#producer = producer;
    this.#topic = topic;
  }

  static async open({ client }: Examination, topic: string, producer = topic): Promise<Transacting> {
    await client.ask('openProducer', { producer, transactionalId: `writer-of-${topic}` });
    return new Transacting(client, producer, topic);
  }

  async write(values: readonly string[], end: Commands['transact'][0]['end']): Promise<void> {
    const [producer, topic] = [this.#producer, this.#topic];
    await this.#client.ask('transact', { producer, topic, records: recordsOf(values), end });
  }
}

async function commits(examination: Examination): Promise<void> {
  const { stage } = examination;
  const topic = await stage.topic('commits');
  const producer = await Transacting.open(examination, topic);
  await producer.write(series('first'), 'commit');
  await producer.write([...series('second'), LAST], 'commit');
  expect(await committed(stage, topic, LAST)).toEqual([...series('first'), ...series('second'), LAST]);
}

async function aborts(examination: Examination): Promise<void> {
  const { stage } = examination;
  const topic = await stage.topic('aborts');
  const producer = await Transacting.open(examination, topic);
  await producer.write(series('before'), 'commit');
  await producer.write(series('aborted'), 'abort');
  await producer.write([LAST], 'commit');
  expect(await committed(stage, topic, LAST)).toEqual([...series('before'), LAST]);
  const all = [...series('before'), ...series('aborted'), LAST];
  expect(await written(stage, topic, all.length)).toEqual(all);
}

async function isFenced(examination: Examination): Promise<void> {
  const { stage } = examination;
  const topic = await stage.topic('fenced');
  const old = await Transacting.open(examination, topic, `${topic}, the old one`);
  await old.write(series('old'), null);
  const next = await Transacting.open(examination, topic, `${topic}, the next one`);
  await next.write([...series('next'), LAST], 'commit');
  await expect(old.write([], 'commit')).rejects.toThrow(/fence|epoch/i);
  expect(await committed(stage, topic, LAST)).toEqual([...series('next'), LAST]);
  const all = [...series('old'), ...series('next'), LAST];
  expect(await written(stage, topic, all.length)).toEqual(all);
}

/** Two topics, the group that copies one to the other, and whether it has done so. */
class Copying {
  readonly stage: Stage;
  readonly source: string;
  readonly target: string;
  readonly group: string;
  readonly #sent: string[] = [];

  private constructor(stage: Stage, source: string, target: string) {
    this.stage = stage;
    this.source = source;
    this.target = target;
    this.group = `copiers-of-${source}`;
  }

  static async between(stage: Stage): Promise<Copying> {
    return new Copying(stage, await stage.topic('source'), await stage.topic('target'));
  }

  /** The client copies all that is, and will be, written. */
  start({ client }: Examination): Promise<object> {
    const { group, source, target } = this;
    const copied = client.ask('copy', { group, source, target, transactionalId: group, until: LAST });
    // Looked into at the end, whatever comes in between.
    copied.catch(() => {});
    return copied;
  }

  async write(values: readonly string[]): Promise<void> {
    await this.stage.write(this.source, recordsOf(values));
    this.#sent.push(...values);
  }

  async isAt(offset: number): Promise<boolean> {
    const [found] = await this.stage.committed(this.group);
    return found !== undefined && found.offset >= offset;
  }

  /** Everything is in the target once, and the group behind it; the first try is there too, for those who want to see it. */
  async expectDone(): Promise<void> {
    const { stage, source, target, group } = this;
    expect(await committed(stage, target, LAST)).toEqual(this.#sent);
    expect((await written(stage, target, this.#sent.length)).length).toBeGreaterThan(this.#sent.length);
    const offset = this.#sent.length;
    await waitFor('the offset to be committed', () => this.isAt(offset));
    expect(await stage.committed(group)).toMatchObject([{ topic: source, partition: 0, offset }]);
  }
}

async function copies(examination: Examination): Promise<void> {
  const copying = await Copying.between(examination.stage);
  await copying.write([...series('record', 20), LAST]);
  await copying.start(examination);
  await copying.expectDone();
}

async function outlivesItsCoordinator(examination: Examination): Promise<void> {
  const { stage } = examination;
  const copying = await Copying.between(stage);
  await copying.write(series('before'));
  const copied = copying.start(examination);
  await Promise.race([copied, waitFor('some records to be copied', () => copying.isAt(10))]);
  const broker = await stage.coordinator('__transaction_state', copying.group);
  await broker.kill();
  try {
    await copying.write([...series('after'), LAST]);
    await copied;
    await copying.expectDone();
  } finally {
    await broker.start();
    const topics = ['__transaction_state', '__consumer_offsets', copying.source, copying.target];
    await Promise.all(topics.map(topic => stage.leaders(topic)));
  }
}

/** A committed transaction, an aborted one, another committed one and one that stays open. */
async function writeTransactions(stage: Stage, topic: string): Promise<() => Promise<void>> {
  const producer = createProducer({ 'bootstrap.servers': stage.cluster.bootstrap, 'transactional.id': topic });
  const write = async (values: readonly string[]) => {
    producer.beginTransaction();
    await Promise.all(values.map(value => producer.send({ topic, partition: 0, value })));
  };
  await producer.initTransactions();
  await write(series('first'));
  await producer.commitTransaction();
  await write(series('aborted'));
  await producer.abortTransaction();
  await write([...series('second'), LAST]);
  await producer.commitTransaction();
  await write(series('open'));
  return async () => {
    await producer.abortTransaction();
    await producer.close();
  };
}

async function readsCommitted(examination: Examination): Promise<void> {
  const { stage, row, client } = examination;
  const topic = await stage.topic('isolated');
  const close = await writeTransactions(stage, topic);
  try {
    const expected = [...series('first'), ...series('second'), LAST];
    expect(row.lacks.beginning === undefined ? await assigned() : await inAGroup()).toEqual(expected);
  } finally {
    await close();
  }

  async function assigned(): Promise<string[]> {
    const wish = { topic, partition: 0, from: 'beginning', until: LAST, isolation: 'read_committed' } as const;
    return (await client.ask('consume', wish)).records.map(({ value }) => value);
  }

  /** Where a client reads in groups only; it is expected to read committed records by itself. */
  async function inAGroup(): Promise<string[]> {
    const { client: reader } = await stage.connect(row);
    try {
      const member = await ForeignMember.join(reader, membershipOf(`readers-of-${topic}`, topic, 'reader'));
      await member.untilRead([LAST]);
      await member.leave();
      return member.values;
    } finally {
      reader.close();
    }
  }
}

type TransactionFeature = FeatureId & `tx${string}`;

export const TRANSACTION_EXAMINATIONS: Readonly<Record<TransactionFeature, (of: Examination) => Promise<void>>> = {
  txCommit: commits,
  txAbort: aborts,
  txFencing: isFenced,
  txCopy: copies,
  txFailover: outlivesItsCoordinator,
  txRead: readsCommitted,
};
