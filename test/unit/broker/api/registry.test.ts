import { describe, expect, test } from 'vitest';
import { apiVersionsHandler } from '../../../../broker/api/api-versions.ts';
import { metadataHandler } from '../../../../broker/api/metadata.ts';
import { ApiRegistry } from '../../../../broker/api/registry.ts';
import type { AutoTopicCreation } from '../../../../broker/metadata/auto-topic-creation.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { CloseConnection } from '../../../../broker/request/handler.ts';
import { ErrorCode, ProtocolError } from '../../../../shared/protocol/errors.ts';
import { ApiVersions } from '../../../../shared/protocol/messages/api-versions.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { knownCluster } from '../../../support/known-cluster.ts';

function context(apiKey: number, apiVersion: number): RequestContext {
  const connection = {
    connectionId: 'c',
    dialect: 'kafka' as const,
    listenerName: 'PLAINTEXT',
    securityProtocol: 'PLAINTEXT' as const,
    principal: { type: 'User', name: 'ANONYMOUS' },
    clientAddress: '127.0.0.1',
    closed: new AbortController().signal,
  };
  return { connection, clientId: 'test', apiKey, apiVersion, park: () => {} };
}

function registry(): ApiRegistry {
  const apis = new ApiRegistry(silentLogger);
  apis.add(apiVersionsHandler(() => apis.handlers()));
  const cache = knownCluster(
    [0, 1],
    [
      { topic: 'led', partition: 0, leader: 1, replicas: [1, 9], isr: [1] },
      { topic: 'leaderless', partition: 0, leader: -1, replicas: [9] },
    ],
  );
  const autoCreation = {
    request: () => Promise.resolve(ErrorCode.LEADER_NOT_AVAILABLE),
  } as unknown as AutoTopicCreation;
  apis.add(metadataHandler({ cache, clusterId: 'cluster', autoCreation }));
  return apis;
}

async function metadata(version: number, request: Parameters<typeof Metadata.request.encode>[0]) {
  const body = Buffer.concat(Metadata.request.encode(request, version));
  const answer = (await registry().dispatch(body, context(Metadata.key, version)))!;
  return Metadata.response.decode(Buffer.concat(answer), version);
}

describe('dispatch', () => {
  test('advertises exactly what is registered', async () => {
    const answer = (await registry().dispatch(Buffer.concat(ApiVersions.request.encode({}, 0)), context(18, 0)))!;
    const { apiKeys } = ApiVersions.response.decode(Buffer.concat(answer), 0);
    expect(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion])).toEqual([
      [3, 0, 12],
      [18, 0, 4],
    ]);
  });

  test('an ApiVersions that is too new is answered in version 0, whatever its body', async () => {
    const answer = (await registry().dispatch(Buffer.from('no such body'), context(18, 99)))!;
    const response = ApiVersions.response.decode(Buffer.concat(answer), 0);
    expect(response).toMatchObject({
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: 18, maxVersion: 4 }],
    });
  });

  test('unknown APIs and versions close the connection; what cannot be decoded names the field', () => {
    expect(() => registry().dispatch(Buffer.alloc(0), context(9999, 0))).toThrow(CloseConnection);
    expect(() => registry().dispatch(Buffer.alloc(0), context(3, 13))).toThrow(CloseConnection);
    expect(() => registry().dispatch(Buffer.alloc(1), context(3, 1))).toThrow(ProtocolError);
  });
});

describe('Metadata', () => {
  test('all topics: an empty list in version 0, null later; an empty list is none then', async () => {
    expect((await metadata(0, { topics: [] })).topics.map(({ name }) => name)).toEqual(['led', 'leaderless']);
    expect((await metadata(1, { topics: null })).topics).toHaveLength(2);
    expect((await metadata(1, { topics: [] })).topics).toHaveLength(0);
  });

  test('a partition without leader says so; replicas without address are offline', async () => {
    const { topics } = await metadata(8, { topics: null });
    expect(topics[0]!.partitions[0]).toMatchObject({
      errorCode: 0,
      leaderId: 1,
      replicaNodes: [1, 9],
      offlineReplicas: [9],
    });
    expect(topics[1]!.partitions[0]).toMatchObject({ errorCode: ErrorCode.LEADER_NOT_AVAILABLE, leaderId: -1 });
  });

  test('version 0 leaves out replicas that have no address', async () => {
    expect((await metadata(0, { topics: [{ name: 'led' }] })).topics[0]!.partitions[0]!.replicaNodes).toEqual([1]);
  });

  test('a missing topic is made if the client lets it; before version 4 it always does', async () => {
    expect((await metadata(3, { topics: [{ name: 'new' }] })).topics[0]!.errorCode).toBe(
      ErrorCode.LEADER_NOT_AVAILABLE,
    );
    const asked = { topics: [{ name: 'new' }], allowAutoTopicCreation: false };
    expect((await metadata(4, asked)).topics[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await metadata(9, { topics: [{ name: 'not/valid' }] })).topics[0]!.errorCode).toBe(
      ErrorCode.INVALID_TOPIC_EXCEPTION,
    );
  });
});
