/* oxlint-disable typescript/no-explicit-any -- the scripted cluster's requests are not typed */
import type { Api } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { AddOffsetsToTxn } from '../../shared/protocol/messages/add-offsets-to-txn.ts';
import { AddPartitionsToTxn } from '../../shared/protocol/messages/add-partitions-to-txn.ts';
import { EndTxn } from '../../shared/protocol/messages/end-txn.ts';
import { FindCoordinator } from '../../shared/protocol/messages/find-coordinator.ts';
import { InitProducerId } from '../../shared/protocol/messages/init-producer-id.ts';
import { TxnOffsetCommit } from '../../shared/protocol/messages/txn-offset-commit.ts';
import type { ScriptedCluster } from './scripted-cluster.ts';

/** What a test wants of a request: an error code, waiting, or a lost answer (a rejection). */
export type Outcome = number | Promise<number>;

/** The coordinators of a scripted cluster as far as a transactional producer sees them: of transactions, and of a group. */
export class ScriptedCoordinator {
  /** What was asked, in order: `AddPartitionsToTxn t-0 t-1`. */
  readonly asked: string[] = [];
  /** Asked before each answer. */
  onRequest: (api: string, n: number) => Outcome = () => ErrorCode.NONE;
  producerId = 4000;
  epoch = -1;
  /** Broker that coordinates. */
  at = 2;
  readonly #cluster: ScriptedCluster;

  constructor(cluster: ScriptedCluster) {
    this.#cluster = cluster;
    cluster.on(FindCoordinator, ({ keyType }) => {
      const coordinators = [{ key: keyType === 1 ? 'tx' : 'g', nodeId: this.at, errorCode: 0, errorMessage: null }];
      return { coordinators };
    });
    this.#on(
      InitProducerId,
      ({ producerId, producerEpoch }) => `${producerId}/${producerEpoch}`,
      (_, errorCode) => {
        if (errorCode !== 0) return { errorCode, producerId: -1, producerEpoch: -1 };
        return { errorCode, producerId: this.producerId, producerEpoch: ++this.epoch };
      },
    );
    this.#on(
      AddPartitionsToTxn,
      ({ v3AndBelowTopics }) => namesOf(v3AndBelowTopics),
      ({ v3AndBelowTopics }, errorCode) => ({
        resultsByTopicV3AndBelow: v3AndBelowTopics.map(({ name, partitions }: any) => ({
          name,
          resultsByPartition: partitions.map((partitionIndex: number) => ({
            partitionIndex,
            partitionErrorCode: errorCode,
          })),
        })),
      }),
    );
    this.#on(
      AddOffsetsToTxn,
      ({ groupId }) => groupId,
      (_, errorCode) => ({ errorCode }),
    );
    this.#on(
      TxnOffsetCommit,
      ({ groupId, generationId }) => `${groupId}/${generationId}`,
      ({ topics }, errorCode) => ({
        topics: topics.map(({ name, partitions }: any) => ({
          name,
          partitions: partitions.map(({ partitionIndex }: any) => ({ partitionIndex, errorCode })),
        })),
      }),
    );
    this.#on(
      EndTxn,
      ({ committed }) => (committed ? 'commit' : 'abort'),
      (_, errorCode) => ({ errorCode }),
    );
  }

  #on(api: Api, tell: (request: any) => string, answer: (request: any, errorCode: number) => any): void {
    this.#cluster.on(api, async (request, broker) => {
      this.asked.push(`${api.name} ${tell(request)}`.trim());
      if (broker !== this.at) return answer(request, ErrorCode.NOT_COORDINATOR);
      const n = this.asked.filter(asked => asked.startsWith(api.name)).length;
      return answer(request, await this.onRequest(api.name, n));
    });
  }
}

function namesOf(topics: any[]): string {
  return topics.flatMap(({ name, partitions }) => partitions.map((p: number) => `${name}-${p}`)).join(' ');
}
