import type { Admin } from '../client/index.ts';
import { logDirsJson } from './format/log-dirs.ts';
import { withAdmin } from './support/admin.ts';
import { parseOptions, required, runTool, toolCommand, ToolFailure, UsageError } from './support/tool.ts';

interface Options {
  bootstrapServer?: string;
  describe?: true;
  brokerList?: string;
  topicList?: string;
  commandConfig?: string;
}

const command = toolCommand('kafka-log-dirs', 'Shows the log directories of brokers and the size of each log in them.')
  .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
  .option('--describe', 'Describe the log directories.')
  .option('--broker-list <ids>', 'Brokers to ask, as in 0,1,2. Default: all.')
  .option('--topic-list <topics>', 'Topics to show, separated by commas. Default: all.')
  .option('--command-config <file>', 'Properties for the admin client.');

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<Options>(command, argv);
  const bootstrap = required(options.bootstrapServer, 'bootstrap-server');
  required(options.describe, 'describe');
  const wanted = brokerIds(options.brokerList);
  const topics = new Set(listed(options.topicList));
  await withAdmin(bootstrap, options.commandConfig, async admin => {
    const brokers = await existing(admin, wanted);
    process.stdout.write('Querying brokers for log directories information\n');
    const described = await admin.describeLogDirs(brokers);
    process.stdout.write(`Received log directory information from brokers ${brokers.join(',')}\n`);
    process.stdout.write(`${logDirsJson(described, topic => topics.size === 0 || topics.has(topic))}\n`);
  });
}

function listed(text: string | undefined): string[] {
  return (text ?? '').split(',').flatMap(item => (item.trim() === '' ? [] : [item.trim()]));
}

function brokerIds(text: string | undefined): number[] {
  return listed(text).map(id => {
    if (!/^\d+$/.test(id)) {
      throw new UsageError(`Cannot parse argument '${id}' of option broker-list: allowed are broker ids, as in 0,1,2`);
    }
    return Number(id);
  });
}

/** The brokers to ask. @throws ToolFailure naming those that there are not */
async function existing(admin: Admin, wanted: readonly number[]): Promise<number[]> {
  const { brokers } = await admin.describeCluster();
  const ids = brokers.map(({ id }) => id).sort((a, b) => a - b);
  const missing = wanted.filter(id => !ids.includes(id));
  if (missing.length > 0) {
    throw new ToolFailure(
      `ERROR: The given brokers do not exist from --broker-list: ${missing.join(',')}. ` +
        `Current existent brokers: ${ids.join(',')}`,
    );
  }
  return wanted.length === 0 ? ids : [...wanted];
}

await runTool(command, main);
