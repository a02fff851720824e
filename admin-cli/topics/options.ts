import type { Command } from 'commander';
import { collect, exclusive, integer, required, toolCommand, UsageError } from '../support/tool.ts';
import type { TopicsAction } from './target.ts';

export interface TopicsOptions {
  bootstrapServer?: string;
  zookeeper?: string;
  commandConfig?: string;
  list?: true;
  create?: true;
  describe?: true;
  alter?: true;
  delete?: true;
  topic?: string;
  topicId?: string;
  partitions?: number;
  replicationFactor?: number;
  replicaAssignment?: string;
  config?: string[];
  deleteConfig?: string[];
  ifExists?: true;
  ifNotExists?: true;
  underReplicatedPartitions?: true;
  unavailablePartitions?: true;
  underMinIsrPartitions?: true;
  atMinIsrPartitions?: true;
  topicsWithOverrides?: true;
  excludeInternal?: true;
  disableRackAware?: true;
  partitionSizeLimitPerResponse?: number;
  force?: true;
}

export function topicsCommand(): Command {
  return toolCommand('kafka-topics', 'Create, delete, describe, or change topics.')
  .option('--bootstrap-server <server>', 'Brokers to connect to: host:port, separated by commas.')
  .option('--zookeeper <urls>', 'Work on ZooKeeper directly: host:port[/chroot].')
  .option('--command-config <file>', 'Properties for the admin client.')
  .option('--list', 'List the topics.')
  .option('--create', 'Create a topic.')
  .option('--describe', 'Show topics with their partitions.')
  .option('--alter', 'Raise the partition count (or, with --zookeeper, change settings).')
  .option('--delete', 'Delete topics.')
  .option('--topic <topic>', 'The topic; for all but --create a regular expression.')
  .option('--topic-id <id>', 'The topic by its id, with --describe.')
  .option('--partitions <count>', 'Partition count, with --create; the new total, with --alter.', integer('partitions', 1))
  .option('--replication-factor <count>', 'Replicas of each partition, with --create.', integer('replication-factor', 1, 32767))
  .option('--replica-assignment <list>', 'Replicas by partition: 1:2,2:3 puts partition 0 on 1,2 and partition 1 on 2,3.')
  .option('--config <name=value>', 'A setting of the topic; repeatable.', collect)
  .option('--delete-config <name>', 'A setting to remove, with --alter --zookeeper; repeatable.', collect)
  .option('--if-exists', 'Do nothing if the topic does not exist.')
  .option('--if-not-exists', 'Do nothing if the topic exists.')
  .option('--under-replicated-partitions', 'Show only partitions whose ISR is smaller than their replica set.')
  .option('--unavailable-partitions', 'Show only partitions without a live leader.')
  .option('--under-min-isr-partitions', 'Show only partitions whose ISR is below min.insync.replicas.')
  .option('--at-min-isr-partitions', 'Show only partitions whose ISR equals min.insync.replicas.')
  .option('--topics-with-overrides', 'Show only topics that have settings of their own.')
  .option('--exclude-internal', 'Leave out internal topics.')
  .option('--disable-rack-aware', 'Accepted for old scripts.')
  .option('--partition-size-limit-per-response <count>', 'Accepted for old scripts.', integer('partition-size-limit-per-response', 1))
  .option('--force', 'Accepted for old scripts: nothing is asked.');
}

const ACTIONS = ['list', 'create', 'describe', 'alter', 'delete'] as const;
const REPORTS = ['underReplicatedPartitions', 'unavailablePartitions', 'underMinIsrPartitions', 'atMinIsrPartitions', 'topicsWithOverrides'] as const;

/** The action, if the options go together. @throws UsageError */
export function checkedAction(options: TopicsOptions): TopicsAction {
  const actions = ACTIONS.filter(action => options[action]);
  if (actions.length !== 1) {
    throw new UsageError('Command must include exactly one action: --list, --describe, --create, --alter or --delete');
  }
  if ((options.bootstrapServer === undefined) === (options.zookeeper === undefined)) {
    throw new UsageError(
      options.zookeeper === undefined
        ? 'Missing required argument "[bootstrap-server]"'
        : 'Only one of --bootstrap-server or --zookeeper must be specified',
    );
  }
  const action = actions[0]!;
  if (action !== 'list' && action !== 'describe') required(options.topic, 'topic');
  if (action === 'alter' && options.zookeeper === undefined) {
    if (options.config !== undefined) throw new UsageError('Option "[alter]" can\'t be used with option "[config]"; use kafka-configs to change settings');
    if (options.replicaAssignment === undefined) required(options.partitions, 'partitions');
  }
  exclusive(options as Record<string, unknown>, 'replicaAssignment', 'replicationFactor', 'replica-assignment', 'replication-factor');
  if (action === 'create') exclusive(options as Record<string, unknown>, 'replicaAssignment', 'partitions', 'replica-assignment', 'partitions');
  if (REPORTS.filter(report => options[report]).length > 1) {
    throw new UsageError('Only one of --under-replicated-partitions, --unavailable-partitions, --under-min-isr-partitions, --at-min-isr-partitions and --topics-with-overrides can be used');
  }
  if (options.ifExists && action === 'create') throw new UsageError('Option "[create]" can\'t be used with option "[if-exists]"');
  if (options.ifNotExists && action !== 'create') throw new UsageError(`Option "[${action}]" can't be used with option "[if-not-exists]"`);
  return action;
}
