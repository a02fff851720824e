import { afterEach, describe, expect, test } from 'vitest';
import { Http2Connector } from '../../../../shared/connection/http2.ts';
import { KafkaConnector } from '../../../../shared/connection/kafka.ts';
import { LeaderAndIsr } from '../../../../shared/protocol/messages/leader-and-isr.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../../../shared/protocol/messages/produce.ts';
import { recordsBuffer } from '../../../../shared/protocol/json.ts';
import { systemTimers } from '../../../../shared/runtime/clock.ts';
import { answerApiVersions, stopServers, type Respond } from '../network/harness.ts';
import { startHttp, stopApps } from './harness.ts';

afterEach(async () => {
  await stopApps();
  await stopServers();
});

const options = { clientId: 'me', requestTimeoutMs: 5000, connectTimeoutMs: 5000, timers: systemTimers };
const connectors = {
  kafka: new KafkaConnector({ ...options, negotiate: true }),
  http2: new Http2Connector(options),
};

/** Answers Produce with the length of the records as the base offset. */
const respond: Respond = (body, context) => {
  if (context.apiKey === 18) return answerApiVersions(context);
  const { topicData, acks } = Produce.request.decode(body, context.apiVersion);
  context.park();
  if (acks === 0) return undefined;
  const partitionResponses = topicData[0]!.partitionData.map(({ index, records }) => ({
    index,
    errorCode: 0,
    baseOffset: recordsBuffer(records).length,
  }));
  return Promise.resolve(
    Produce.response.encode({ responses: [{ name: topicData[0]!.name, partitionResponses }] }, context.apiVersion),
  );
};

const produce = (acks: number, size: number) => ({
  acks,
  timeoutMs: 1000,
  topicData: [{ name: 't', partitionData: [{ index: 0, records: Buffer.alloc(size) }] }],
});

describe.each(Object.entries(connectors))('the caller of dialect %s against the port', (_dialect, connector) => {
  test('versions, calls in parallel, calls without an answer', async () => {
    const { port } = await startHttp({ respond });
    const connection = await connector.connect({ host: '127.0.0.1', port });
    expect(connection.versions(Metadata)).toEqual({ min: 0, max: 12 });
    expect(connection.versions(LeaderAndIsr)).toBeNull();
    const sizes = [1, 100_000, 2 << 20, 7, 1 << 20];
    const answers = await Promise.all(sizes.map(size => connection.call(Produce, produce(1, size))));
    expect(answers.map(answer => answer!.responses[0]!.partitionResponses[0]!.baseOffset)).toEqual(sizes);
    expect(await connection.call(Produce, produce(0, 10))).toBeUndefined();
    expect(connection.closed).toBe(false);
    connection.close();
  });

  test('the end of the broker is noticed', async () => {
    const { port, server, app } = await startHttp({ respond });
    const connection = await connector.connect({ host: '127.0.0.1', port });
    const gone = new Promise<void>(resolve => connection.onClose(resolve));
    await Promise.all([app.close(100), server.close(100)]);
    await gone;
    expect(connection.closed).toBe(true);
    await expect(connection.call(Produce, produce(1, 1))).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
