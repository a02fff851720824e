import { expect } from 'vitest';
import type { Examination } from './stage.ts';

const ROUNDS = 12;
const KILL_IN_ROUND = 4;

/**
 * One client writes in rounds, acks=all, and a second one reads; the leader is killed with a round on its way. Every
 * round is acknowledged in the end, and the reader gets every record, at least once, in the order of their offsets.
 */
export async function throughFailover({ stage, row, client: writer }: Examination): Promise<void> {
  const topic = await stage.topic('failover');
  const [leader] = await stage.leaders(topic);
  const last = 'the end';
  const idempotent = row.lacks.idempotent === undefined;
  const write = (values: readonly string[]) =>
    writer.ask('produce', {
      topic,
      codec: 'none',
      acks: -1,
      idempotent,
      records: values.map(value => ({ key: null, value, partition: 0, headers: [], timestamp: null })),
    });
  const readers = row.lacks.beginning === undefined ? [(await stage.connect(row)).client] : [];
  const read = { topic, partition: 0, from: 'beginning', until: last, isolation: 'read_uncommitted' } as const;
  const reading = readers.map(reader => reader.ask('consume', read));
  const sent: string[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const values = Array.from({ length: 20 }, (_, n) => `${round}/${n}`);
      sent.push(...values);
      const acknowledged = write(values);
      if (round === KILL_IN_ROUND) await stage.cluster.brokers[leader!]!.kill();
      await acknowledged;
    }
    await write([last]);
    sent.push(last);
    const log = (await stage.stored(topic, 0, sent.length)).flatMap(({ records }) => records);
    const values = log.map(({ value }) => value);
    if (idempotent) expect(values).toEqual(sent);
    else expect([...new Set(values)].sort()).toEqual([...sent].sort());
    for (const answer of reading) expect((await answer).records).toEqual(log);
  } finally {
    for (const reader of readers) reader.close();
    // A read that goes on when something else has failed is nobody's business any more.
    await Promise.allSettled(reading);
    if (!stage.cluster.brokers[leader!]!.running) await stage.cluster.brokers[leader!]!.start();
    await stage.leaders(topic);
  }
}
