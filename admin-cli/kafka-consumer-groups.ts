import type { Admin } from '../client/index.ts';
import { deleteGroups, deleteOffsets } from './groups/delete.ts';
import { describeGroups, listGroups } from './groups/describe.ts';
import { checkedAction, groupsCommand, type GroupsAction, type GroupsOptions } from './groups/options.ts';
import { resetGroups } from './groups/reset.ts';
import { exceptionText } from './format/exceptions.ts';
import { withAdmin } from './support/admin.ts';
import { parseOptions, runTool, UsageError } from './support/tool.ts';

const ACTIONS: Readonly<Record<GroupsAction, (admin: Admin, options: GroupsOptions) => Promise<void>>> = {
  list: listGroups,
  describe: describeGroups,
  delete: deleteGroups,
  resetOffsets: resetGroups,
  deleteOffsets,
};

/** Without --timeout. */
const TIMEOUT_MS = 5_000;

const command = groupsCommand();

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<GroupsOptions>(command, argv);
  const action = checkedAction(options);
  const { bootstrapServer, commandConfig, timeout } = options;
  try {
    const run = (admin: Admin) => ACTIONS[action](admin, options);
    const given = timeout === undefined ? {} : timeLimits(timeout);
    await withAdmin(bootstrapServer!, commandConfig, run, timeLimits(TIMEOUT_MS), given);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // As in Kafka this is told on the standard output, and is no failure of the tool.
    process.stdout.write(`\nError: Executing consumer group command failed due to ${exceptionText(error)}\n`);
  }
}

/** Of one answer, and of a question with all its tries. */
function timeLimits(ms: number): Record<string, string> {
  return { 'request.timeout.ms': String(ms), 'default.api.timeout.ms': String(ms) };
}

await runTool(command, main);
