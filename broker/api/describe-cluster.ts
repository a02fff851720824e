import { ErrorCode } from '../../shared/protocol/errors.ts';
import { DescribeCluster } from '../../shared/protocol/messages/describe-cluster.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import { authorizedOperations } from '../request/authorized-operations.ts';
import type { ApiHandler } from '../request/handler.ts';

/** Endpoint types of KIP-919: this cluster's clients only ever talk to brokers. */
const BROKERS = 1;

/** Answers who is in the cluster (KIP-700), in the addresses of the client's listener. */
export function describeClusterHandler(cache: MetadataCache, clusterId: string): ApiHandler<typeof DescribeCluster> {
  return {
    api: DescribeCluster,
    versions: DescribeCluster.versions,
    handle(request, context) {
      const supported = request.endpointType === BROKERS;
      const brokers = cache.aliveBrokers().flatMap(({ id, rack, endpoints }) => {
        const endpoint = endpoints.find(e => e.listenerName === context.connection.listenerName);
        return endpoint === undefined ? [] : [{ brokerId: id, host: endpoint.host, port: endpoint.port, rack }];
      });
      return {
        throttleTimeMs: 0,
        errorCode: supported ? ErrorCode.NONE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
        errorMessage: supported
          ? null
          : `Endpoint type ${request.endpointType} is not served by brokers; 1 (brokers) is.`,
        endpointType: BROKERS,
        clusterId,
        controllerId: cache.controllerId ?? -1,
        brokers: supported ? brokers : [],
        clusterAuthorizedOperations: authorizedOperations('cluster', request.includeClusterAuthorizedOperations),
      };
    },
  };
}
