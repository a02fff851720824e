import { atLeast, between } from '../../../shared/config/rules.ts';
import { boolean, int, long, short, type ConfigTable } from '../../../shared/config/table.ts';
import { MAX_INT } from '../../../shared/config/types.ts';
import { clusterWide } from './scopes.ts';

const used = { rule: atLeast(1) };

/** Consumer groups, committed offsets, idempotent and transactional producers. */
export const COORDINATION = {
  'group.min.session.timeout.ms': int(6000, 'Shortest session timeout a group member may ask for.'),
  'group.max.session.timeout.ms': int(1_800_000, 'Longest session timeout a group member may ask for.'),
  'group.initial.rebalance.delay.ms': int(3000, 'How long an empty group waits for more members to join.'),
  'group.max.size': int(MAX_INT, 'Members of a group.', used),
  'offset.metadata.max.bytes': int(4096, 'Largest text stored with a committed offset, in bytes.'),
  'offsets.load.buffer.size': int(5_242_880, 'Bytes read at a time while committed offsets are loaded.', used),
  'offsets.topic.replication.factor': short(3, 'Replicas of the topic of committed offsets.', used),
  'offsets.topic.num.partitions': int(50, 'Partitions of that topic; must never change.', used),
  'offsets.topic.segment.bytes': int(104_857_600, 'Segment size of that topic in bytes.', used),
  'offsets.topic.compression.codec': int(0, 'Compression of that topic by its number.', {
    rule: between(0, 4),
  }),
  'offsets.retention.minutes': int(10_080, 'Minutes for which the offsets of an empty group are kept.', used),
  'offsets.retention.check.interval.ms': long(600_000, 'How often expired offsets are removed.', used),
  'offsets.commit.timeout.ms': int(5000, 'Milliseconds within which a commit must be replicated.', used),
  'offsets.commit.required.acks': short(-1, 'Acks of a commit; anything but -1 is unsafe.', { rule: between(-1, 1) }),
  'transactional.id.expiration.ms': int(
    604_800_000,
    'Milliseconds after which an unused transactional id is forgotten.',
    used,
  ),
  'transaction.max.timeout.ms': int(900_000, 'Longest transaction timeout a producer may ask for.', used),
  'transaction.state.log.replication.factor': short(3, 'Replicas of the topic of transactions.', used),
  'transaction.state.log.num.partitions': int(50, 'Partitions of that topic; must never change.', used),
  'transaction.state.log.min.isr': int(2, 'In-sync replicas that topic needs.', used),
  'transaction.state.log.segment.bytes': int(104_857_600, 'Segment size of that topic in bytes.', used),
  'transaction.state.log.load.buffer.size': int(5_242_880, 'Bytes read at a time while transactions are loaded.', used),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': int(
    10_000,
    'How often timed-out transactions are aborted.',
    used,
  ),
  'transaction.remove.expired.transaction.cleanup.interval.ms': int(
    3_600_000,
    'How often expired transactional ids are forgotten.',
    used,
  ),
  'transaction.partition.verification.enable': boolean(
    true,
    'Ask the coordinator whether a partition belongs to the transaction that writes to it.',
    clusterWide,
  ),
  'producer.id.expiration.ms': int(86_400_000, 'Milliseconds after which an unused producer id is forgotten.', {
    ...clusterWide,
    rule: atLeast(1),
  }),
  'producer.id.expiration.check.interval.ms': int(600_000, 'How often unused producer ids are looked for.', {
    rule: atLeast(1),
  }),
} satisfies ConfigTable;
