import type { ElectionOutcome } from '../client/index.ts';
import { partitionKey, type TopicPartition } from '../shared/topics/topic-partition.ts';
import { electionReport } from './format/election.ts';
import { readJsonFile } from './support/json-file.ts';
import { parsePartitionList } from './support/partition-list.ts';
import { withAdmin } from './support/admin.ts';
import { integer, parseOptions, required, runTool, toolCommand, ToolFailure, UsageError } from './support/tool.ts';

interface Options {
  bootstrapServer?: string;
  'admin.config'?: string;
  electionType?: string;
  topic?: string;
  partition?: number;
  allTopicPartitions?: true;
  pathToJsonFile?: string;
}

const command = toolCommand('kafka-leader-election', 'Elects new leaders for partitions.')
  .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
  .option('--admin.config <file>', 'Properties for the admin client.')
  .option('--election-type <type>', 'PREFERRED or UNCLEAN.')
  .option('--topic <topic>', 'The topic, with --partition.')
  .option('--partition <number>', 'The partition, with --topic.', integer('partition', 0))
  .option('--all-topic-partitions', 'All partitions of all topics.')
  .option('--path-to-json-file <file>', 'File that lists partitions: {"partitions":[{"topic":"t","partition":0}]}.');

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<Options>(command, argv);
  const bootstrap = required(options.bootstrapServer, 'bootstrap-server');
  const type = electionType(required(options.electionType, 'election-type'));
  const partitions = wanted(options);
  await withAdmin(bootstrap, options['admin.config'], async admin => {
    const outcomes = await admin.electLeaders(type, partitions);
    const { lines, failed } = electionReport(type, withUnmentioned(partitions, outcomes));
    for (const line of lines) process.stdout.write(`${line}\n`);
    if (failed > 0) throw new ToolFailure(`${failed} replica(s) could not be elected`);
  });
}

function electionType(text: string): 'preferred' | 'unclean' {
  const type = text.toLowerCase();
  if (type === 'preferred' || type === 'unclean') return type;
  throw new UsageError(`Cannot parse argument '${text}' of option election-type: allowed are PREFERRED and UNCLEAN`);
}

/** null: all. @throws UsageError unless exactly one way of naming partitions was chosen */
function wanted(options: Options): TopicPartition[] | null {
  const ways = [options.topic, options.allTopicPartitions, options.pathToJsonFile].filter(way => way !== undefined);
  if (ways.length !== 1) {
    throw new UsageError(
      'One and only one of the following options is required: topic, all-topic-partitions, path-to-json-file',
    );
  }
  if ((options.topic === undefined) !== (options.partition === undefined)) {
    throw new UsageError(`Missing required argument "[${options.topic === undefined ? 'topic' : 'partition'}]"`);
  }
  if (options.topic !== undefined) return [{ topic: options.topic, partition: options.partition! }];
  if (options.pathToJsonFile === undefined) return null;
  return readJsonFile(options.pathToJsonFile, parsePartitionList);
}

/** Partitions of which the answer says nothing needed no election. */
function withUnmentioned(asked: readonly TopicPartition[] | null, outcomes: readonly ElectionOutcome[]) {
  const mentioned = new Set(outcomes.map(({ topic, partition }) => partitionKey(topic, partition)));
  const others = (asked ?? []).filter(({ topic, partition }) => !mentioned.has(partitionKey(topic, partition)));
  return { outcomes, unmentioned: others };
}

await runTool(command, main);
