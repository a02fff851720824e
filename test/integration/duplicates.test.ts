import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProducer } from '../../client/index.ts';
import { LossyCluster } from '../support/lossy-cluster.ts';
import { waitFor } from '../support/wait.ts';

/** Acknowledgements get lost, so that the producer sends records again that the broker has. */

const LOSSES = 10;

let cluster: LossyCluster;

beforeAll(async () => {
  cluster = await LossyCluster.start();
});

afterAll(() => cluster.stop());

/** Writes numbered records until enough answers were lost; resolves with what was sent, and what the partition then holds. */
async function written(topic: string, settings: Record<string, unknown>): Promise<{ sent: string[]; log: string[] }> {
  await cluster.createTopic(topic);
  const producer = createProducer({
    'bootstrap.servers': cluster.bootstrap,
    'batch.size': 500,
    'retry.backoff.ms': 5,
    'retry.backoff.max.ms': 50,
    'reconnect.backoff.ms': 5,
    'reconnect.backoff.max.ms': 50,
    ...settings,
  });
  const failures: Error[] = [];
  const losses = cluster.proxy.losses;
  const sent: string[] = [];
  await cluster.losing(0.1, async () => {
    while (cluster.proxy.losses - losses < LOSSES) {
      for (let i = 0; i < 20; i++) {
        const value = String(sent.length);
        sent.push(value);
        producer.send({ topic, value }, error => {
          if (error !== null) failures.push(error);
        });
      }
      await new Promise(resolve => setTimeout(resolve, 1));
      await producer.drained();
    }
    await producer.flush();
  });
  await producer.close();
  expect(failures).toEqual([]);
  return { sent, log: await cluster.log(topic) };
}

describe.each(['http2', 'kafka'])('over %s', dialect => {
  test('an idempotent producer writes every record once and in order, with five batches on the way', async () => {
    const { sent, log } = await written(`once-${dialect}`, { 'samsa.dialect': dialect });
    expect(log.join(' '), `seed ${cluster.seed}`).toBe(sent.join(' '));
  });

  // The snapshot that the broker leaves behind has a producer's last batch only, as Kafka's.
  test('nor does a leader that is restarted with five unacknowledged batches take them twice', async () => {
    const topic = `restarted-${dialect}`;
    await cluster.createTopic(topic);
    const producer = createProducer({
      'bootstrap.servers': cluster.bootstrap,
      'samsa.dialect': dialect,
      'batch.size': 1,
    });
    await producer.send({ topic, value: 'first' });
    const values = ['first', 'a', 'b', 'c', 'd', 'e'];
    const losses = cluster.proxy.losses;
    const sent: Promise<unknown>[] = [];
    await cluster.losing(1, async () => {
      for (const value of values.slice(1)) sent.push(producer.send({ topic, value }));
      await waitFor('answers to be lost', () => cluster.proxy.losses - losses >= 2);
      await cluster.restart();
    });
    await Promise.all(sent);
    await producer.close();
    expect(await cluster.log(topic)).toEqual(values);
  });

  test('without idempotence there are duplicates', async () => {
    const { sent, log } = await written(`twice-${dialect}`, { 'samsa.dialect': dialect, 'enable.idempotence': false });
    expect(log.length, `seed ${cluster.seed}`).toBeGreaterThan(sent.length);
    expect(new Set(log).size).toBe(sent.length);
  });
});
