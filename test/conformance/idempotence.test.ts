import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LossyCluster } from '../support/lossy-cluster.ts';
import { run } from '../support/run.ts';

/** Foreign idempotent producers while acknowledgements get lost: what they send again must not be written again. */

const LOSSES = 5;
const RECORDS_A_ROUND = 500;

let cluster: LossyCluster;

beforeAll(async () => {
  cluster = await LossyCluster.start();
});

afterAll(() => cluster.stop());

/** Has numbered records written, round after round until enough answers were lost; resolves with them and with the log. */
async function written(
  topic: string,
  write: (values: readonly string[]) => Promise<void>,
): Promise<{ sent: string[]; log: string[] }> {
  await cluster.createTopic(topic);
  const sent: string[] = [];
  for (let losses = 0; losses < LOSSES;) {
    const round = Array.from({ length: RECORDS_A_ROUND }, (_, i) => String(sent.length + i));
    sent.push(...round);
    losses += await cluster.losing(0.15, () => write(round));
  }
  return { sent, log: await cluster.log(topic) };
}

describe('librdkafka (kcat)', () => {
  const produce = async (topic: string, idempotent: boolean, values: readonly string[]) => {
    const settings = {
      'enable.idempotence': String(idempotent),
      'batch.num.messages': '5',
      'queue.buffering.max.ms': '1',
      'retry.backoff.ms': '10',
      'message.send.max.retries': '10000',
      'reconnect.backoff.ms': '5',
      'reconnect.backoff.max.ms': '50',
    };
    const args = ['-b', cluster.bootstrap, '-P', '-t', topic, '-p', '0'];
    for (const [key, value] of Object.entries(settings)) args.push('-X', `${key}=${value}`);
    const { code, stderr } = await run('kcat', args, { input: `${values.join('\n')}\n` });
    expect(code, stderr).toBe(0);
  };

  test('with enable.idempotence every record is there once, in order', async () => {
    const { sent, log } = await written('kcat-once', values => produce('kcat-once', true, values));
    expect(log.join(' '), `seed ${cluster.seed}`).toBe(sent.join(' '));
  });

  test('without it there are duplicates', async () => {
    const { sent, log } = await written('kcat-twice', values => produce('kcat-twice', false, values));
    expect(log.length, `seed ${cluster.seed}`).toBeGreaterThan(sent.length);
    expect(new Set(log).size).toBe(sent.length);
  });
});

describe('kafkajs', () => {
  /** Connected before anything is lost: the client gives up when the answer with its producer id is. */
  const produced = async (topic: string, idempotent: boolean) => {
    const kafka = new Kafka({
      brokers: [cluster.bootstrap],
      logLevel: logLevel.NOTHING,
      retry: { retries: 1_000, initialRetryTime: 10, maxRetryTime: 100 },
    });
    const producer = kafka.producer({ idempotent, maxInFlightRequests: 1 });
    await producer.connect();
    try {
      return await written(topic, async values => {
        for (let i = 0; i < values.length; i += 10) {
          const messages = values.slice(i, i + 10).map(value => ({ value, partition: 0 }));
          await producer.send({ topic, acks: -1, messages });
        }
      });
    } finally {
      await producer.disconnect();
    }
  };

  test('with idempotent: true every record is there once, in order', async () => {
    const { sent, log } = await produced('kafkajs-once', true);
    expect(log.join(' '), `seed ${cluster.seed}`).toBe(sent.join(' '));
  });

  test('without it there are duplicates', async () => {
    const { sent, log } = await produced('kafkajs-twice', false);
    expect(log.length, `seed ${cluster.seed}`).toBeGreaterThan(sent.length);
    expect(new Set(log).size).toBe(sent.length);
  });
});
