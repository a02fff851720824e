/* oxlint-disable typescript/no-explicit-any -- a script answers any API, in whatever shape the test wants */
import {
  ConnectionError,
  type Address,
  type CallOptions,
  type Connection,
  type Connector,
} from '../../shared/connection/connection.ts';
import type { Api } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { InitProducerId } from '../../shared/protocol/messages/init-producer-id.ts';
import { Metadata } from '../../shared/protocol/messages/metadata.ts';

type Handler = (request: any, brokerId: number) => any;

/** Brokers that answer as a test says, behind the interface of real connections. Ports are broker ids. */
export class ScriptedCluster implements Connector {
  readonly handlers = new Map<string, Handler>();
  /** Leader by partition, of every topic. */
  leaders: number[] = [1];
  /** The same as one broker has heard. */
  leadersAt: (broker: number) => number[] = () => this.leaders;
  /** What there is for one who asks for all topics. */
  topics: string[] = [];
  readonly brokers = [1, 2];
  readonly calls: { api: string; broker: number; request: any }[] = [];
  readonly down = new Set<number>();
  /** Which topics a broker has heard of, when not of all. */
  knows: (topic: string, broker: number) => boolean = () => true;

  on(api: Api, handler: Handler): void {
    this.handlers.set(api.name, handler);
  }

  /** What the brokers serve: of older ones, less. */
  versions: (api: Api) => Api['versions'] = api => api.versions;

  connect({ port }: Address): Promise<Connection> {
    if (this.down.has(port)) return Promise.reject(new ConnectionError('REFUSED', `broker ${port} is down`));
    const metadata = (request: any) => this.#metadata(request, port);
    const { calls, down, handlers, versions } = this;
    return Promise.resolve({
      peer: `broker-${port}`,
      get closed() {
        return down.has(port);
      },
      versions,
      async call(api: Api, request: any, options?: CallOptions) {
        if (down.has(port)) throw new ConnectionError('CLOSED', `broker ${port} is down`);
        // What cannot be sent is no request.
        api.request.encode(request, options?.version ?? versions(api).max);
        calls.push({ api: api.name, broker: port, request });
        const handler = handlers.get(api.name);
        if (handler === undefined && api === Metadata) return metadata(request);
        if (handler === undefined && api === InitProducerId)
          return { errorCode: 0, producerId: 4000, producerEpoch: 0 };
        return handler!(request, port);
      },
      close() {},
      onClose() {},
    } as unknown as Connection);
  }

  #metadata({ topics }: any, broker: number) {
    return {
      throttleTimeMs: 0,
      brokers: this.brokers.map(id => ({ nodeId: id, host: `b${id}`, port: id, rack: null })),
      clusterId: 'c',
      controllerId: 1,
      topics: (topics ?? this.topics.map(name => ({ name }))).map(({ name }: any) => ({
        errorCode: this.knows(name, broker) ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        name,
        topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
        isInternal: false,
        partitions: this.leadersAt(broker).map((leaderId, partitionIndex) => ({
          errorCode: 0,
          partitionIndex,
          leaderId,
          leaderEpoch: 1,
          replicaNodes: [1, 2],
          isrNodes: [1, 2],
          offlineReplicas: [],
        })),
        topicAuthorizedOperations: 0,
      })),
      clusterAuthorizedOperations: 0,
    };
  }
}
