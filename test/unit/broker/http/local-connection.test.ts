import { describe, expect, test } from 'vitest';
import { LocalConnection } from '../../../../broker/http/local-connection.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { Fetch } from '../../../../shared/protocol/messages/fetch.ts';
import { ListOffsets } from '../../../../shared/protocol/messages/list-offsets.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../../../shared/protocol/messages/produce.ts';
import { systemTimers } from '../../../../shared/runtime/clock.ts';
import { StubDispatcher, type Respond } from '../network/harness.ts';

function connectTo(respond: Respond): LocalConnection {
  return new LocalConnection({
    dispatcher: new StubDispatcher(respond),
    clientId: 'rest',
    timers: systemTimers,
    behalf: {
      listenerName: 'EXTERNAL',
      securityProtocol: 'PLAINTEXT',
      principal: { type: 'User', name: 'ANONYMOUS' },
      clientAddress: '10.0.0.1',
    },
  });
}

const noTopics = { topics: [] };

describe('LocalConnection', () => {
  test('carries a request to the dispatcher and the answer back, in the highest version', async () => {
    let context: RequestContext | undefined;
    const connection = connectTo((body, given) => {
      context = given;
      const { topics } = Metadata.request.decode(body, given.apiVersion);
      const brokers = [{ nodeId: 1, host: topics![0]!.name!, port: 9, rack: null }];
      return Promise.resolve(Metadata.response.encode({ brokers, controllerId: 1, topics: [] }, given.apiVersion));
    });
    const answer = await connection.call(Metadata, { topics: [{ name: 'a' }] });
    expect(answer!.brokers[0]!.host).toBe('a');
    expect(context).toMatchObject({ clientId: 'rest', apiKey: 3, apiVersion: Metadata.versions.max });
    expect(context!.connection).toMatchObject({
      dialect: 'local',
      listenerName: 'EXTERNAL',
      clientAddress: '10.0.0.1',
    });
  });

  test('no answer is undefined; an API that is not served is an error', async () => {
    const connection = connectTo(() => undefined);
    expect(await connection.call(Produce, { acks: 0, timeoutMs: 1, topicData: [] })).toBeUndefined();
    expect(connection.versions(ListOffsets)).toBeNull();
    const refused = connection.call(ListOffsets, { replicaId: -1, topics: [] });
    await expect(refused).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
  });

  test('closing fails calls under way and tells their handlers', async () => {
    let context: RequestContext | undefined;
    const connection = connectTo((_body, given) => ((context = given), new Promise(() => {})));
    let closed = 0;
    connection.onClose(() => closed++);
    const call = connection.call(Fetch, { maxWaitMs: 1, minBytes: 1, topics: [] });
    connection.close();
    connection.close();
    await expect(call).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(connection.call(Metadata, noTopics)).rejects.toMatchObject({ code: 'CLOSED' });
    expect([context!.connection.closed.aborted, connection.closed, closed]).toEqual([true, true, 1]);
  });

  test('a time limit', async () => {
    const connection = connectTo(() => new Promise(() => {}));
    await expect(connection.call(Metadata, noTopics, { timeoutMs: 10 })).rejects.toMatchObject({ code: 'TIMED_OUT' });
  });
});
