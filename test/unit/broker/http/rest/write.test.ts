/* oxlint-disable typescript/no-explicit-any -- scripted answers */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../../../broker/http/rest/body.ts';
import { produceLines } from '../../../../../broker/http/rest/write.ts';
import { createProducer } from '../../../../../client/index.ts';
import { Produce } from '../../../../../shared/protocol/messages/produce.ts';
import { ScriptedCluster } from '../../../../support/scripted-cluster.ts';
import { waitFor } from '../../../../support/wait.ts';

describe('produceLines', () => {
  test('reads no further than the producer has memory for, and loses nothing by it', async () => {
    const cluster = new ScriptedCluster();
    let answer: () => void = () => {};
    const released = new Promise<void>(resolve => (answer = resolve));
    cluster.on(Produce, async ({ topicData }) => {
      await released;
      return {
        responses: topicData.map(({ name, partitionData }: any) => ({
          name,
          partitionResponses: partitionData.map(({ index }: any) => ({
            index,
            errorCode: 0,
            baseOffset: 0,
            logAppendTimeMs: -1,
          })),
        })),
      };
    });
    const producer = createProducer({ 'buffer.memory': 100_000, 'enable.idempotence': false }, { connector: cluster });
    const count = 300;
    let taken = 0;
    const body = Readable.from(
      (function* () {
        for (; taken < count; taken++) yield Buffer.from(`${JSON.stringify({ value: 'x'.repeat(10_000) })}\n`);
      })(),
      { highWaterMark: 1 },
    );
    const reports: string[] = [];
    const reading = (async () => {
      for await (const report of produceLines(producer, 't', body)) reports.push(report);
    })();
    await waitFor('the memory to be full', () => taken >= 9);
    for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve));
    expect(taken).toBeLessThan(20);
    answer();
    await reading;
    await producer.close();
    expect(reports).toHaveLength(count);
    expect(reports.filter(report => report.includes('error_code'))).toEqual([]);
  });
});

describe('parseJson', () => {
  test.each([
    '12345678901234567890',
    '{"id":9007199254740993,"list":[1e400,-0.1,0.10000000000000000001,true,null,"12345678901234567890"]}',
    '{"a":1.5,"b":123}',
  ])('%s is written out as it came in', text => {
    expect(JSON.stringify(parseJson(text))).toBe(text);
  });

  test('numbers that are what they are stay numbers', () => {
    expect(parseJson('{"timestamp":1700000000000,"n":1234567890123456}')).toEqual({
      timestamp: 1_700_000_000_000,
      n: 1_234_567_890_123_456,
    });
  });

  test('what is no JSON is said to be none', () => {
    expect(() => parseJson('{"a":', 'The line')).toThrow(/^The line is not JSON: .*\.$/);
  });
});
