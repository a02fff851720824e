import type { Admin } from '../client/index.ts';
import { withAdmin } from './support/admin.ts';
import { parseOptions, required, runTool } from './support/tool.ts';
import { abort } from './transactions/abort.ts';
import { describe, describeProducers, list } from './transactions/describe.ts';
import { findHanging } from './transactions/hanging.ts';
import {
  takeAction,
  transactionsCommand,
  type TransactionsAction,
  type TransactionsOptions,
} from './transactions/options.ts';

const RUN: Readonly<
  Record<TransactionsAction, (admin: Admin, options: TransactionsOptions, now: number) => Promise<string>>
> = { list, describe, 'describe-producers': describeProducers, abort, 'find-hanging': findHanging };

const command = transactionsCommand();

async function main(argv: string[]): Promise<void> {
  if (argv.includes('--version')) parseOptions(command, ['--version']);
  const { action, rest } = takeAction(argv);
  const options = parseOptions<TransactionsOptions>(command, rest);
  const bootstrap = required(options.bootstrapServer, 'bootstrap-server');
  const run = (admin: Admin) => RUN[action](admin, options, Date.now());
  process.stdout.write(await withAdmin(bootstrap, options.commandConfig, run));
}

await runTool(command, main);
