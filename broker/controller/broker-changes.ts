import { MalformedZnodeError } from '../../shared/zookeeper/znodes/json.ts';
import type { BrokerRegistration, RegisteredBroker } from '../../shared/zookeeper/store.ts';
import type { ControlledTopic, PartitionReplica } from './context.ts';
import type { Office } from './office.ts';
import { aimsAt, resumeReassignments } from './reassigning.ts';

/** What a look at `/brokers/ids` shows against what was known. Each ascending by id. */
export interface BrokerChanges {
  readonly added: readonly RegisteredBroker[];
  /** Gone and back before anybody looked: the broker epoch tells. */
  readonly bounced: readonly RegisteredBroker[];
  readonly dead: readonly RegisteredBroker[];
}

export function compareBrokers(
  known: readonly RegisteredBroker[],
  registered: readonly RegisteredBroker[],
): BrokerChanges {
  const before = new Map(known.map(broker => [broker.id, broker]));
  const now = new Set(registered.map(broker => broker.id));
  return {
    added: registered.filter(({ id }) => !before.has(id)),
    bounced: registered.filter(({ id, epoch }) => before.has(id) && epoch > before.get(id)!.epoch),
    dead: known.filter(({ id }) => !now.has(id)),
  };
}

/** Brokers came, went or came back (Kafka: `processBrokerChange`). */
export async function brokersChanged(office: Office): Promise<void> {
  const { context, channels, store, watchers, logger } = office;
  const registered = await store.brokers.list(watchers.brokers);
  const { added, bounced, dead } = compareBrokers(context.liveOrShuttingDownBrokers(), registered);
  if (added.length + bounced.length + dead.length === 0) return;
  logger.info({ added: ids(added), bounced: ids(bounced), dead: ids(dead) }, 'brokers changed');
  for (const broker of added) channels.add(broker);
  for (const { id } of [...bounced, ...dead]) channels.remove(id);
  for (const broker of bounced) channels.add(broker);
  await join(office, added);
  await leave(office, bounced);
  await join(office, bounced);
  await leave(office, dead);
}

function ids(brokers: readonly RegisteredBroker[]): number[] {
  return brokers.map(broker => broker.id);
}

async function join(office: Office, brokers: readonly RegisteredBroker[]): Promise<void> {
  if (brokers.length === 0) return;
  for (const broker of brokers) office.context.putBroker(broker);
  await brokersStarted(office, ids(brokers));
}

async function leave(office: Office, brokers: readonly RegisteredBroker[]): Promise<void> {
  if (brokers.length === 0) return;
  const { context } = office;
  for (const { id } of brokers) {
    context.removeBroker(id);
    context.forgetOfflineDirs(id);
    context.clearShuttingDown(id);
  }
  await replicasWentOffline(office, context.replicasOn(new Set(ids(brokers))));
}

/** (Kafka: `onBrokerStartup`.) */
async function brokersStarted(office: Office, started: readonly number[]): Promise<void> {
  const { context, requests, replicas, partitions, deletion } = office;
  for (const id of started) context.forgetOfflineDirs(id);
  // The others must know the new brokers before they are told to follow them, and the new ones must know everything.
  const others = context.liveOrShuttingDownIds().filter(id => !started.includes(id));
  await requests.sendMetadata(others, []);
  await requests.sendFullMetadata(started);
  const onStarted = context.replicasOn(new Set(started));
  await replicas.change(onStarted, 'OnlineReplica');
  await partitions.triggerOnline(context.allPartitions());
  await resumeReassignments(office, aimsAt(started));
  await deletion.makeEligible(topicsOf(office, onStarted));
  for (const id of started) await checkBroker(office, id);
}

function topicsOf({ context }: Office, replicas: readonly PartitionReplica[]): Set<ControlledTopic> {
  return new Set(replicas.flatMap(({ partition }) => context.topic(partition.topic) ?? []));
}

/**
 * Replicas cannot serve any more: their brokers died, or their log directories failed (Kafka:
 * `onReplicasBecomeOffline`). First leaders for what they led, then they leave their ISRs.
 */
export async function replicasWentOffline(office: Office, gone: readonly PartitionReplica[]): Promise<void> {
  const { context, requests, partitions, replicas, deletion } = office;
  const leaderless = context
    .allPartitions()
    .filter(
      partition =>
        partition.leadership !== null &&
        !context.isReplicaOnline(partition.leadership.leader, partition) &&
        !context.isQueuedForDeletion(partition.topic),
    );
  await partitions.change(leaderless, 'OfflinePartition');
  await partitions.triggerOnline(context.allPartitions());
  const kept = gone.filter(({ partition }) => !context.isQueuedForDeletion(partition.topic));
  await replicas.change(kept, 'OfflineReplica');
  await deletion.replicasFailed(gone);
  // If nothing above had to be said, it is still news that the brokers have gone.
  if (kept.length === 0 && leaderless.length === 0) await requests.sendMetadataToAll([]);
}

/** Looks at what a broker says of itself, and watches it (Kafka: `processBrokerModification`). */
export async function checkBroker(office: Office, id: number): Promise<void> {
  const { context, requests } = office;
  const known = context.broker(id);
  const current = await readBroker(office, id);
  // Gone, or back with another epoch: that is for the change of /brokers/ids to deal with.
  if (known === undefined || current?.epoch !== known.epoch) return;
  if (sameAddresses(known.registration, current.registration)) return;
  context.putBroker(current);
  await requests.sendMetadataToAll([]);
}

async function readBroker({ store, watchers, logger }: Office, id: number): Promise<RegisteredBroker | null> {
  try {
    return await store.brokers.get(id, watchers.broker);
  } catch (error) {
    if (!(error instanceof MalformedZnodeError)) throw error;
    logger.error({ err: error }, 'ignoring a broker registration that cannot be read');
    return null;
  }
}

function sameAddresses(a: BrokerRegistration, b: BrokerRegistration): boolean {
  return a.rack === b.rack && JSON.stringify(a.endpoints) === JSON.stringify(b.endpoints);
}
