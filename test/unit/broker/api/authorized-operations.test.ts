import { expect, test } from 'vitest';
import { describeClusterHandler } from '../../../../broker/api/describe-cluster.ts';
import { metadataHandler, type MetadataParts } from '../../../../broker/api/metadata.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { knownCluster } from '../../../support/known-cluster.ts';

const context = { apiVersion: 10, connection: { listenerName: 'PLAINTEXT' } } as RequestContext;
const cache = knownCluster([1], [{ topic: 't', partition: 0, leader: 1 }]);

/** What Kafka without an authorizer answers (KIP-430): bits 3 to 8, 10 and 11; bits 5, 7 to 12. */
const ALL_OF_TOPIC = 3576;
const ALL_OF_CLUSTER = 8096;
const NOT_ASKED_FOR = -2147483648;

test.each([
  [true, ALL_OF_TOPIC, ALL_OF_CLUSTER],
  [false, NOT_ASKED_FOR, NOT_ASKED_FOR],
])('without an authorizer everybody may do everything; asked for: %s', async (isAskedFor, ofTopic, ofCluster) => {
  const metadata = await metadataHandler({ cache, clusterId: 'c' } as MetadataParts).handle(
    {
      topics: null,
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: isAskedFor,
      includeClusterAuthorizedOperations: isAskedFor,
    },
    context,
  );
  expect(metadata).toMatchObject({
    topics: [{ name: 't', topicAuthorizedOperations: ofTopic }],
    clusterAuthorizedOperations: ofCluster,
  });
  const request = { includeClusterAuthorizedOperations: isAskedFor, endpointType: 1 };
  const cluster = await describeClusterHandler(cache, 'c').handle(request, context);
  expect(cluster).toMatchObject({ clusterAuthorizedOperations: ofCluster });
});
