import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { LeaderAndIsr } from '../../shared/zookeeper/store.ts';

/** What a leader wants its partition's state to be. */
export interface IsrProposal {
  /** The broker that asks. */
  readonly broker: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly number[];
  readonly recovering: boolean;
}

/** What a proposal is judged by. */
export interface IsrSituation {
  readonly current: LeaderAndIsr;
  readonly replicas: readonly number[];
  readonly controllerEpoch: number;
  /** Whether the broker is registered and not shutting down. */
  readonly isLive: (broker: number) => boolean;
}

/** Write it, answer what is there already, or refuse with an error. */
export type IsrVerdict =
  | { readonly kind: 'write'; readonly state: LeaderAndIsr }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'error'; readonly errorCode: number };

/** One reason to refuse. */
interface Rule {
  readonly errorCode: number;
  readonly applies: (proposal: IsrProposal, situation: IsrSituation) => boolean;
}

/** Epochs first: a proposal from another time says nothing. (Kafka: `KafkaController.tryProcessAlterPartition`.) */
const EPOCH_RULES: readonly Rule[] = [
  {
    // The leader has heard of something that we have not: we are probably not the controller any more.
    errorCode: ErrorCode.NOT_CONTROLLER,
    applies: ({ leaderEpoch, partitionEpoch }, { current }) =>
      partitionEpoch > current.partitionEpoch || leaderEpoch > current.leaderEpoch,
  },
  {
    errorCode: ErrorCode.FENCED_LEADER_EPOCH,
    applies: ({ leaderEpoch }, { current }) => leaderEpoch < current.leaderEpoch,
  },
];

/** For what would change the state. */
const CHANGE_RULES: readonly Rule[] = [
  {
    errorCode: ErrorCode.INVALID_UPDATE_VERSION,
    applies: ({ partitionEpoch }, { current }) => partitionEpoch < current.partitionEpoch,
  },
  {
    // Not in Kafka, where no leader does this: the ISR holds the leader that asks, and assigned replicas only.
    errorCode: ErrorCode.INVALID_REQUEST,
    applies: ({ broker, isr }, { current, replicas }) =>
      broker !== current.leader || !isr.includes(broker) || !isr.every(replica => replicas.includes(replica)),
  },
  {
    // An unclean leader takes note of its state before anybody can be in sync with it (KIP-704).
    errorCode: ErrorCode.INVALID_REQUEST,
    applies: ({ recovering, isr }, { current }) => recovering && (isr.length > 1 || !current.recovering),
  },
  {
    errorCode: ErrorCode.INELIGIBLE_REPLICA,
    applies: ({ isr }, { isLive }) => !isr.every(isLive),
  },
];

/** Decides on a proposal, by rules in a fixed order. */
export function judgeProposal(proposal: IsrProposal, situation: IsrSituation): IsrVerdict {
  const refusal = (rules: readonly Rule[]) => rules.find(rule => rule.applies(proposal, situation));
  const stale = refusal(EPOCH_RULES);
  if (stale !== undefined) return { kind: 'error', errorCode: stale.errorCode };
  if (isCurrent(proposal, situation.current)) return { kind: 'unchanged' };
  const refused = refusal(CHANGE_RULES);
  if (refused !== undefined) return { kind: 'error', errorCode: refused.errorCode };
  const { isr, recovering } = proposal;
  return {
    kind: 'write',
    state: { ...situation.current, isr, recovering, controllerEpoch: situation.controllerEpoch },
  };
}

/** The retry of a proposal that was granted while its answer was lost: it names the partition epoch from before. */
function isCurrent({ broker, isr, recovering }: IsrProposal, current: LeaderAndIsr): boolean {
  return (
    broker === current.leader &&
    recovering === current.recovering &&
    isr.length === current.isr.length &&
    isr.every((replica, index) => replica === current.isr[index])
  );
}
