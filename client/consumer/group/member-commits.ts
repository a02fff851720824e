import { ErrorCode } from '../../../shared/protocol/errors.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { KafkaError } from '../../errors.ts';
import type { OffsetToCommit } from '../../groups/committed-offsets.ts';
import { mayPass } from '../../groups/coordinator-errors.ts';
import { CoordinatorLink } from '../../groups/coordinator-link.ts';
import { OffsetStore } from './offset-store.ts';

/** A member as its group knows it: see `Consumer.groupMetadata`. */
export interface MemberName {
  readonly groupId: string;
  /** Empty: the coordinator has given none yet. */
  readonly memberId: string;
  /** -1: in no generation. */
  readonly generationId: number;
}

/** Trying again would not help whoever waits for the answer: the group, or the topic, has to change first. */
const FINAL: ReadonlySet<number> = new Set([ErrorCode.REBALANCE_IN_PROGRESS, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);

/**
 * Commits in the name of a member that may be another client, anywhere: the coordinator takes the offsets as long as the
 * member is in the generation that is named, which is all that it asks of any commit.
 */
export class MemberCommits {
  readonly #cluster: Cluster;
  readonly #timeoutMs: number;

  constructor(cluster: Cluster, timeoutMs: number) {
    this.#cluster = cluster;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws KafkaError UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, … */
  async commit({ groupId, memberId, generationId }: MemberName, offsets: readonly OffsetToCommit[]): Promise<void> {
    const store = new OffsetStore(new CoordinatorLink(this.#cluster, groupId), groupId, null);
    const deadline = this.#cluster.runtime.clock.monotonic() + this.#timeoutMs;
    for (let attempt = 1; ; attempt++) {
      try {
        await store.commit(offsets, { memberId, id: generationId, protocol: '' });
        return;
      } catch (error) {
        if (!mayPass(error) || (error instanceof KafkaError && FINAL.has(error.code))) throw error;
        await this.#cluster.pause(attempt, deadline, error, 'the offsets were not committed');
      }
    }
  }

  close(): void {
    this.#cluster.close();
  }
}
