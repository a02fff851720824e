import { asInteger, asIntegers, encodeJson, parseObject } from './json.ts';

/** Leadership of a partition, as in `/brokers/topics/<t>/partitions/<p>/state`. */
export interface LeaderAndIsr {
  /** Broker id, -1 = none. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  /** Epoch of the controller that wrote this. */
  readonly controllerEpoch: number;
  /** The znode's version; not part of its data. */
  readonly partitionEpoch: number;
  /** The leader was elected uncleanly and has not yet said that it took note (KIP-704). */
  readonly recovering: boolean;
}

const VERSION = 1;
const RECOVERING = 1;

export function encodePartitionState(state: LeaderAndIsr): Buffer {
  return encodeJson({
    version: VERSION,
    leader: state.leader,
    leader_epoch: state.leaderEpoch,
    controller_epoch: state.controllerEpoch,
    isr: state.isr,
    ...(state.recovering ? { leader_recovery_state: RECOVERING } : {}),
  });
}

/** null when the data is no partition state: the partition then counts as not initialised, as in Kafka. */
export function decodePartitionState(data: Buffer | null, version: number): LeaderAndIsr | null {
  const json = parseObject(data);
  const leader = asInteger(json?.leader);
  const leaderEpoch = asInteger(json?.leader_epoch);
  const isr = asIntegers(json?.isr);
  if (leader === null || leaderEpoch === null || isr === null) return null;
  return {
    leader,
    leaderEpoch,
    isr,
    controllerEpoch: asInteger(json?.controller_epoch) ?? 0,
    partitionEpoch: version,
    recovering: json?.leader_recovery_state === RECOVERING,
  };
}
