import { ACTIONS } from './reassign/actions.ts';
import { failure } from './reassign/input.ts';
import { chosenAction, type ReassignOptions } from './reassign/options.ts';
import { withAdmin } from './support/admin.ts';
import { errorText } from './format/error-text.ts';
import { integer, parseOptions, runTool, toolCommand, ToolFailure } from './support/tool.ts';

const command = toolCommand(
  'kafka-reassign-partitions',
  'Moves partitions between brokers, and between their directories.',
)
  .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
  .option('--command-config <file>', 'Properties for the admin client.')
  .option('--generate', 'Propose where the partitions of topics could be on the given brokers. Nothing is moved.')
  .option('--execute', 'Start the reassignment of a file.')
  .option('--verify', 'Show how far the reassignment of a file is; when it is completed, lift the throttles.')
  .option('--cancel', 'Give the reassignment of a file up.')
  .option('--list', 'List the reassignments under way.')
  .option('--reassignment-json-file <file>', 'The file: partitions with their replicas, and perhaps directories.')
  .option('--topics-to-move-json-file <file>', 'The topics for --generate: {"version":1,"topics":[{"topic":"t"}]}.')
  .option('--broker-list <ids>', 'The brokers for --generate, as in 0,1,2.')
  .option('--disable-rack-aware', 'Take no notice of racks.')
  .option('--throttle <bytes>', 'Bytes a second that may be copied between brokers.', integer('throttle', 0))
  .option(
    '--replica-alter-log-dirs-throttle <bytes>',
    'Bytes a second that may be copied between the directories of a broker.',
    integer('replica-alter-log-dirs-throttle', 0),
  )
  .option(
    '--timeout <ms>',
    'How long to wait for moves between directories to start. Default: 10000.',
    integer('timeout', 0),
  )
  .option('--additional', 'Execute beside reassignments that are under way.')
  .option('--preserve-throttles', 'Do not lift throttles.');

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<ReassignOptions>(command, argv);
  const action = chosenAction(options);
  try {
    await withAdmin(options.bootstrapServer!, options.commandConfig, admin => ACTIONS[action](admin, options));
  } catch (error) {
    if (error instanceof ToolFailure) throw failure(error.message);
    throw failure(`Error: ${errorText(error)}`);
  }
}

await runTool(command, main);
