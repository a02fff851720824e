import type { Command } from 'commander';
import { integer, required, toolCommand, UsageError } from '../support/tool.ts';

export interface StreamsResetOptions {
  applicationId?: string;
  bootstrapServer?: string;
  bootstrapServers?: string;
  inputTopics?: string;
  intermediateTopics?: string;
  internalTopics?: string;
  toOffset?: number;
  toDatetime?: string;
  byDuration?: string;
  toEarliest?: true;
  toLatest?: true;
  fromFile?: string;
  shiftBy?: number;
  configFile?: string;
  force?: true;
  dryRun?: true;
}

export function streamsResetCommand(): Command {
  return toolCommand(
    'kafka-streams-application-reset',
    'Has a Kafka Streams application begin anew: sets the offsets of its input topics, skips intermediate ones, deletes the internal ones. Its local state has to be removed apart.',
  )
    .option('--application-id <id>', 'REQUIRED: the application.id.')
    .option('--bootstrap-server <servers>', 'Brokers to connect to. Default: localhost:9092.')
    .option('--bootstrap-servers <servers>', 'Older name of --bootstrap-server.')
    .option('--input-topics <list>', 'Topics that the application reads: reset to their beginning, or as said below.')
    .option('--intermediate-topics <list>', 'Topics that it writes and reads: it goes on at their end.')
    .option('--internal-topics <list>', 'Delete only these of its internal topics.')
    .option('--to-offset <offset>', 'Reset to this offset.', integer('to-offset', 0, Number.MAX_SAFE_INTEGER))
    .option('--to-datetime <time>', 'Reset to the first record since then: YYYY-MM-DDTHH:mm:ss.SSS.')
    .option('--by-duration <duration>', 'Reset to the first record since so long ago: PnDTnHnMnS.')
    .option('--to-earliest', 'Reset to the first record that is left.')
    .option('--to-latest', 'Reset to the end of the log.')
    .option('--from-file <file>', 'Reset to the offsets of a CSV file: topic,partition,offset.')
    .option(
      '--shift-by <count>',
      'Reset by so many records, back if negative.',
      integer('shift-by', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    )
    .option('--config-file <file>', 'Properties for the admin client.')
    .option('--force', 'Remove members that are still in the group.')
    .option('--dry-run', 'Only show what would be done.');
}

const SCENARIOS = ['toOffset', 'toDatetime', 'byDuration', 'toEarliest', 'toLatest', 'fromFile', 'shiftBy'] as const;

/** @throws UsageError in Kafka's words for options that are missing or do not go together */
export function checkOptions(options: StreamsResetOptions): void {
  required(options.applicationId, 'application-id');
  const [one, other] = SCENARIOS.filter(name => options[name] !== undefined);
  if (other !== undefined)
    throw new UsageError(`Option "[${dashed(one!)}]" can't be used with option "[${dashed(other)}]"`);
}

function dashed(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

/** The topics of an option, which are separated by commas. */
export function topicsOf(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');
}
