import { checkBroker } from './broker-changes.ts';
import { preferredElectionRequested } from './preferred-election.ts';
import type { Office } from './office.ts';
import { reassignmentsRequested } from './reassignment-requests.ts';
import { resumeReassignments } from './reassigning.ts';
import { loadTopics } from './topic-changes.ts';

/**
 * What a newly elected controller does before it deals with events (Kafka: `onControllerFailover`): watch everything,
 * read everything, then tell every broker everything, because nobody knows what the predecessor got done.
 */
export async function takeOffice(office: Office): Promise<void> {
  const { channels, context, deletion, failpoints, partitions, replicas, requests, store, watchers } = office;
  await failpoints?.hit('failover.before-feature');
  await store.feature.ensureEnabled();
  await failpoints?.hit('failover.after-feature');
  await removeNotifications(office);
  await failpoints?.hit('failover.after-notifications-removed');
  await load(office);
  await deletion.load(await store.deletions.list(watchers.deletions));
  await failpoints?.hit('failover.after-load');
  for (const broker of context.liveOrShuttingDownBrokers()) channels.add(broker);
  // Brokers need to know each other's addresses before they can obey LeaderAndIsr.
  await requests.sendMetadataToAll([]);
  await failpoints?.hit('failover.after-broker-list-sent');
  await replicas.startUp();
  await failpoints?.hit('failover.after-replica-startup');
  await partitions.startUp();
  await requests.sendFullMetadata(context.liveOrShuttingDownIds());
  await failpoints?.hit('failover.after-partition-startup');
  for (const id of context.liveOrShuttingDownIds()) await checkBroker(office, id);
  await resumeReassignments(office, () => true);
  await reassignmentsRequested(office);
  await deletion.resume();
  await preferredElectionRequested(office);
}

/** What was notified is about to be read anyway. */
async function removeNotifications({ store, watchers, controller }: Office): Promise<void> {
  const logDirEvents = await store.logDirEvents.list(watchers.logDirEvents);
  await store.logDirEvents.remove(logDirEvents.keys(), controller);
  const isrChanges = await store.isrChanges.list(watchers.isrChanges);
  await store.isrChanges.remove(isrChanges.keys(), controller);
}

/** Brokers, topics with their assignments, and the leadership of all partitions. */
async function load(office: Office): Promise<void> {
  const { context, store, watchers, logger, writer } = office;
  for (const broker of await store.brokers.list(watchers.brokers)) context.putBroker(broker);
  await loadTopics(office, (await store.topics.names(watchers.topics)).sort());
  await writer.reload(context.allPartitions());
  logger.info(
    {
      brokers: context.liveOrShuttingDownIds(),
      topics: context.topics().length,
      partitions: context.allPartitions().length,
    },
    'read the state of the cluster',
  );
}
