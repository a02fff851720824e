import { atLeast, oneOf } from '../../../shared/config/rules.ts';
import { boolean, int, long, string, type ConfigTable } from '../../../shared/config/table.ts';
import { clusterWide, notYet } from './scopes.ts';

/** Followers, fetches, leader balance and controlled shutdown. */
export const REPLICATION = {
  'replica.lag.time.max.ms': long(30_000, 'Milliseconds for which a follower may lag before it leaves the ISR.'),
  'min.insync.replicas': int(1, 'In-sync replicas without which a produce with acks=all is refused.', {
    ...clusterWide,
    rule: atLeast(1),
  }),
  'unclean.leader.election.enable': boolean(
    false,
    'Let a replica outside the ISR lead when no other is left, which loses acknowledged records.',
    clusterWide,
  ),
  'num.replica.fetchers': int(1, 'Connections by which this broker follows each other broker.', clusterWide),
  'replica.fetch.min.bytes': int(1, 'Bytes for which a follower’s fetch waits.'),
  'replica.fetch.max.bytes': int(1_048_576, 'Bytes of one partition in an answer to a follower.', { rule: atLeast(0) }),
  'replica.fetch.response.max.bytes': int(10_485_760, 'Bytes of a whole answer to a follower.', { rule: atLeast(0) }),
  'replica.fetch.wait.max.ms': int(500, 'Longest wait of a follower’s fetch in milliseconds.'),
  'replica.fetch.backoff.ms': int(1000, 'Pause in milliseconds after a failed fetch of a partition.', {
    rule: atLeast(0),
  }),
  'replica.socket.timeout.ms': int(30_000, 'Milliseconds within which a follower’s request must be answered.'),
  'replica.socket.receive.buffer.bytes': int(65_536, 'Receive buffer of a follower’s socket in bytes.', notYet),
  'replica.high.watermark.checkpoint.interval.ms': long(5000, 'How often the high watermarks are written down.'),
  'replica.selector.class': string(
    null,
    'Chooses the replica from which a consumer reads: Kafka’s `RackAwareReplicaSelector` has it read in its own rack ' +
      '(`client.rack`), `LeaderSelector` at the leader. Unset: at the leader.',
    {
      rule: oneOf(
        'org.apache.kafka.common.replica.RackAwareReplicaSelector',
        'org.apache.kafka.common.replica.LeaderSelector',
      ),
    },
  ),
  'num.replica.alter.log.dirs.threads': int(
    null,
    'Replicas that move between data directories at the same time. Unset: as many as there are directories.',
  ),
  'fetch.max.bytes': int(57_671_680, 'Largest answer to any fetch in bytes.', { rule: atLeast(1024) }),
  'max.incremental.fetch.session.cache.slots': int(1000, 'Fetch sessions that the broker keeps.', { rule: atLeast(0) }),
  'fetch.purgatory.purge.interval.requests': int(1000, 'Finished waits are dropped at once here.', notYet),
  'producer.purgatory.purge.interval.requests': int(1000, 'Finished waits are dropped at once here.', notYet),
  'delete.records.purgatory.purge.interval.requests': int(1, 'Finished waits are dropped at once here.', notYet),
  'controller.socket.timeout.ms': int(30_000, 'Milliseconds within which brokers must answer the controller.'),
  'auto.leader.rebalance.enable': boolean(true, 'Give leadership back to the preferred replicas from time to time.'),
  'leader.imbalance.per.broker.percentage': int(
    10,
    'Percentage of a broker’s preferred partitions led by others above which leadership is given back.',
  ),
  'leader.imbalance.check.interval.seconds': long(300, 'How often that is checked, in seconds.', { rule: atLeast(1) }),
  'controlled.shutdown.enable': boolean(true, 'Move leadership away before the broker stops.'),
  'controlled.shutdown.max.retries': int(3, 'Attempts to do so.'),
  'controlled.shutdown.retry.backoff.ms': long(5000, 'Pause between two attempts in milliseconds.'),
} satisfies ConfigTable;
