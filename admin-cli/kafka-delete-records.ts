import type { Admin } from '../client/index.ts';
import { partitionKey } from '../shared/topics/topic-partition.ts';
import { parseOffsetFile, type DeletionOffset } from './records/offset-file.ts';
import { withAdmin } from './support/admin.ts';
import { errorText } from './format/error-text.ts';
import { readJsonFile } from './support/json-file.ts';
import { parseOptions, required, runTool, toolCommand } from './support/tool.ts';

interface Options {
  bootstrapServer?: string;
  offsetJsonFile?: string;
  commandConfig?: string;
}

const command = toolCommand('kafka-delete-records', 'Deletes records of partitions up to given offsets.')
  .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
  .option(
    '--offset-json-file <file>',
    'File that says up to where: {"partitions":[{"topic":"t","partition":0,"offset":3}],"version":1}. ' +
      'The record at the offset stays; -1 deletes everything that is committed.',
  )
  .option('--command-config <file>', 'Properties for the admin client.');

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<Options>(command, argv);
  const bootstrap = required(options.bootstrapServer, 'bootstrap-server');
  const wanted = readJsonFile(required(options.offsetJsonFile, 'offset-json-file'), parseOffsetFile);
  await withAdmin(bootstrap, options.commandConfig, admin => deleteRecords(admin, wanted));
}

async function deleteRecords(admin: Admin, wanted: readonly DeletionOffset[]): Promise<void> {
  process.stdout.write('Executing records delete operation\n');
  const outcomes = await admin.deleteRecords(wanted.map(entry => [entry, entry.offset]));
  process.stdout.write('Records delete operation completed:\n');
  outcomes.forEach((outcome, index) => {
    const { topic, partition } = wanted[index]!;
    const what =
      outcome.status === 'fulfilled'
        ? `low_watermark: ${outcome.value.lowWatermark}`
        : `error: ${errorText(outcome.reason)}`;
    process.stdout.write(`partition: ${partitionKey(topic, partition)}\t${what}\n`);
  });
}

await runTool(command, main);
