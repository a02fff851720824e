import type { Command } from 'commander';
import { collect, integer, required, toolCommand, UsageError } from '../support/tool.ts';

export type TopicsAction = 'list' | 'create' | 'describe' | 'alter' | 'delete';

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
    .option(
      '--partitions <count>',
      'Partition count, with --create; the new total, with --alter.',
      integer('partitions', 1),
    )
    .option(
      '--replication-factor <count>',
      'Replicas of each partition, with --create.',
      integer('replication-factor', 1, 32767),
    )
    .option(
      '--replica-assignment <list>',
      'Replicas by partition: 1:2,2:3 puts partition 0 on 1,2 and partition 1 on 2,3.',
    )
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
    .option(
      '--partition-size-limit-per-response <count>',
      'Accepted for old scripts.',
      integer('partition-size-limit-per-response', 1),
    )
    .option('--force', 'Accepted for old scripts: nothing is asked.');
}

const ACTIONS = ['list', 'create', 'describe', 'alter', 'delete'] as const;

const REPORTS = [
  ['underReplicatedPartitions', 'under-replicated-partitions'],
  ['unavailablePartitions', 'unavailable-partitions'],
  ['underMinIsrPartitions', 'under-min-isr-partitions'],
  ['atMinIsrPartitions', 'at-min-isr-partitions'],
  ['topicsWithOverrides', 'topics-with-overrides'],
] as const;

/** Options that go with some of the actions only. */
const BELONGS: readonly (readonly [key: keyof TopicsOptions, name: string, actions: readonly TopicsAction[]])[] = [
  ['topicId', 'topic-id', ['describe']],
  ['partitions', 'partitions', ['create', 'alter']],
  ['replicationFactor', 'replication-factor', ['create']],
  ['replicaAssignment', 'replica-assignment', ['create', 'alter']],
  ['config', 'config', ['create', 'alter']],
  ['deleteConfig', 'delete-config', ['alter']],
  ['ifExists', 'if-exists', ['alter', 'delete', 'describe']],
  ['ifNotExists', 'if-not-exists', ['create']],
  ['excludeInternal', 'exclude-internal', ['list', 'describe']],
  ...REPORTS.map(([key, name]) => [key, name, ['describe']] as const),
];

/** The action, if the options go together. @throws UsageError */
export function checkedAction(options: TopicsOptions): TopicsAction {
  const [action, ...others] = ACTIONS.filter(name => options[name]);
  if (action === undefined || others.length > 0) {
    throw new UsageError('Command must include exactly one action: --list, --describe, --create, --alter or --delete');
  }
  if (options.bootstrapServer !== undefined && options.zookeeper !== undefined) {
    throw new UsageError('Only one of --bootstrap-server or --zookeeper must be specified');
  }
  if (options.zookeeper === undefined) required(options.bootstrapServer, 'bootstrap-server');
  if (action !== 'list' && action !== 'describe') required(options.topic, 'topic');
  for (const [key, name, actions] of BELONGS) {
    if (options[key] !== undefined && !actions.includes(action)) throw conflict(name, action);
  }
  checkReports(options);
  if (action === 'create') checkCreate(options);
  if (action === 'alter') checkAlter(options);
  return action;
}

function checkReports(options: TopicsOptions): void {
  const [first, second] = REPORTS.filter(([key]) => options[key]);
  if (first !== undefined && second !== undefined) throw conflict(first[1], second[1]);
  const minIsr = REPORTS.find(([key, name]) => options[key] && name.includes('min-isr'));
  if (minIsr !== undefined && options.zookeeper !== undefined) throw conflict(minIsr[1], 'zookeeper');
}

function checkCreate(options: TopicsOptions): void {
  if (options.replicaAssignment !== undefined) {
    if (options.partitions !== undefined) throw conflict('replica-assignment', 'partitions');
    if (options.replicationFactor !== undefined) throw conflict('replica-assignment', 'replication-factor');
  } else if (options.zookeeper !== undefined) {
    required(options.partitions, 'partitions');
    required(options.replicationFactor, 'replication-factor');
  }
}

function checkAlter(options: TopicsOptions): void {
  const configs = options.config !== undefined || options.deleteConfig !== undefined;
  if (configs && options.zookeeper === undefined) {
    throw new UsageError(
      'Option combination "[bootstrap-server],[config]" can\'t be used with option "[alter]" (the kafka-configs CLI supports altering topic configs with a --bootstrap-server option)',
    );
  }
  if (!configs && options.replicaAssignment === undefined) required(options.partitions, 'partitions');
}

function conflict(used: string, other: string): UsageError {
  return new UsageError(`Option "[${used}]" can't be used with option "[${other}]"`);
}
