import type { CallOptions, Connection } from '../../shared/connection/connection.ts';
import type { Api, RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { hasMoved } from './coordinator-errors.ts';
import { findCoordinators, type CoordinatorKind } from './find-coordinators.ts';

/** The way to the broker that coordinates a group, or a transactional id, looked up when it is not known or has moved. */
export class CoordinatorLink {
  readonly #cluster: Cluster;
  readonly #key: string;
  readonly #kind: CoordinatorKind;
  #brokerId: number | null = null;

  constructor(cluster: Cluster, key: string, kind: CoordinatorKind = 'group') {
    this.#cluster = cluster;
    this.#key = key;
    this.#kind = kind;
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
    if (hasMoved(code)) this.forget();
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
    const found = (await findCoordinators(this.#cluster, [this.#key], this.#kind)).get(this.#key)!;
    if (typeof found !== 'number') throw found;
    return found;
  }
}
