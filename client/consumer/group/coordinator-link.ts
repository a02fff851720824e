import { ConnectionError, type CallOptions, type Connection } from '../../../shared/connection/connection.ts';
import type { Api, RequestInput, ResponseOf } from '../../../shared/protocol/api.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { FindCoordinator } from '../../../shared/protocol/messages/find-coordinator.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { KafkaError } from '../../errors.ts';

const GROUP = 0;
/** From this version on several keys are asked for at once. */
const BATCHED_SINCE = 4;

/** After these another broker may be the coordinator. */
const MOVED: ReadonlySet<number> = new Set([ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE]);

/** The way to the broker that coordinates a group, looked up when it is not known or has moved. */
export class CoordinatorLink {
  readonly #cluster: Cluster;
  readonly #groupId: string;
  #brokerId: number | null = null;

  constructor(cluster: Cluster, groupId: string) {
    this.#cluster = cluster;
    this.#groupId = groupId;
  }

  /**
   * One try. An answer's error code is the caller's to look at; `note` is to be told of it.
   * @throws ConnectionError, KafkaError when the coordinator is not found or not reached
   */
  async call<A extends Api>(api: A, request: RequestInput<A>, options?: CallOptions): Promise<ResponseOf<A>> {
    const connection = await this.#connection();
    try {
      return (await connection.call(api, request, options))!;
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** The highest version of an API that the coordinator and this client know; 0: none. @throws as `call` does */
  async highestVersion(api: Api): Promise<number> {
    return Math.min((await this.#connection()).versions(api)?.max ?? 0, api.versions.max);
  }

  /** Learns from an error code that the coordinator is another one now. */
  note(code: number): void {
    if (MOVED.has(code)) this.forget();
  }

  /** Nobody answers there: the next call looks for the coordinator anew. */
  forget(): void {
    this.#brokerId = null;
  }

  async #connection(): Promise<Connection> {
    this.#brokerId ??= await this.#find();
    try {
      return await this.#cluster.coordinator(this.#brokerId);
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  async #find(): Promise<number> {
    const connection = await this.#cluster.any();
    const isBatched = (connection.versions(FindCoordinator)?.max ?? 0) >= BATCHED_SINCE;
    const keys = isBatched ? { coordinatorKeys: [this.#groupId] } : { key: this.#groupId };
    const response = (await connection.call(FindCoordinator, { ...keys, keyType: GROUP }))!;
    const { errorCode, errorMessage, nodeId } = isBatched ? response.coordinators[0]! : response;
    if (errorCode !== ErrorCode.NONE) throw new KafkaError(errorCode, errorMessage);
    // Its address may be news: a broker that the last metadata did not have.
    if (!this.#cluster.brokers().some(({ id }) => id === nodeId)) await this.#cluster.refresh();
    return nodeId;
  }
}

/** Whether the same may succeed a moment later. */
export function mayPass(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof KafkaError && error.retriable);
}
