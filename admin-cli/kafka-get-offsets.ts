import type { Admin } from '../client/index.ts';
import { partitionKey, type TopicPartition } from '../shared/topics/topic-partition.ts';
import {
  isNotInternal,
  topicAndPartitionsFilter,
  topicPartitionsFilter,
  type PartitionFilter,
} from './offsets/filters.ts';
import { offsetSpec } from './offsets/time.ts';
import { withAdmin } from './support/admin.ts';
import { parseOptions, required, runTool, toolCommand, ToolFailure } from './support/tool.ts';

interface Options {
  bootstrapServer?: string;
  brokerList?: string;
  topicPartitions?: string;
  topic?: string;
  partitions?: string;
  time: string;
  commandConfig?: string;
  excludeInternalTopics?: true;
}

const command = toolCommand('kafka-get-offsets', 'Shows offsets of partitions as topic:partition:offset.')
  .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
  .option('--broker-list <servers>', 'Older name of --bootstrap-server.')
  .option(
    '--topic-partitions <list>',
    'Patterns topic:partition, as in t1:1,t2:0-3,t3,t4:5-,:7; the upper end of a range is not included.',
  )
  .option('--topic <pattern>', 'Regular expression for the names of topics.')
  .option('--partitions <list>', 'Partition numbers, separated by commas.')
  .option(
    '--time <time>',
    'A timestamp in ms, latest or -1, earliest or -2, max-timestamp or -3, earliest-local or -4, latest-tiered or -5.',
    'latest',
  )
  .option('--command-config <file>', 'Properties for the admin client.')
  .option('--exclude-internal-topics', 'Leave out internal topics.');

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<Options>(command, argv);
  const bootstrap = required(options.bootstrapServer ?? options.brokerList, 'bootstrap-server');
  if (options.topicPartitions !== undefined && (options.topic ?? options.partitions) !== undefined) {
    throw new ToolFailure('Error occurred: --topic-partitions cannot be used with --topic or --partitions');
  }
  const spec = offsetSpec(options.time);
  const filter =
    options.topicPartitions === undefined
      ? topicAndPartitionsFilter(options.topic, options.partitions)
      : topicPartitionsFilter(options.topicPartitions);
  await withAdmin(bootstrap, options.commandConfig, async admin => {
    const partitions = await matching(
      admin,
      tp => filter(tp) && (options.excludeInternalTopics !== true || isNotInternal(tp)),
    );
    if (partitions.length === 0)
      throw new ToolFailure('Error occurred: Could not match any topic-partitions with the specified filters');
    if (spec === null) return;
    const found = await admin.listOffsets(partitions.map(tp => [tp, spec]));
    found.forEach((outcome, index) => show(partitions[index]!, outcome));
  });
}

/** The partitions that match, ordered as text: `t-10` before `t-2`. */
async function matching(admin: Admin, filter: PartitionFilter): Promise<TopicPartition[]> {
  const partitions = (await admin.listTopics()).flatMap(topic => topic.partitions);
  const text = ({ topic, partition }: TopicPartition) => partitionKey(topic, partition);
  return partitions.filter(filter).sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

function show({ topic, partition }: TopicPartition, outcome: PromiseSettledResult<{ offset: number }>): void {
  if (outcome.status === 'rejected') {
    const { message } = outcome.reason as Error;
    process.stderr.write(`Skip getting offsets for topic-partition ${topic}-${partition} due to error: ${message}\n`);
  } else if (outcome.value.offset >= 0) {
    process.stdout.write(`${topic}:${partition}:${outcome.value.offset}\n`);
  }
}

await runTool(command, main);
