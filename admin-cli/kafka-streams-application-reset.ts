import type { Admin } from '../client/index.ts';
import { errorText } from './format/error-text.ts';
import { valuesOf } from './groups/selection.ts';
import { internalTopics, topicsToDelete } from './streams/internal-topics.ts';
import { checkOptions, streamsResetCommand, topicsOf, type StreamsResetOptions } from './streams/options.ts';
import { print, resetInputs } from './streams/reset-inputs.ts';
import { withAdmin } from './support/admin.ts';
import { parseOptions, runTool, ToolFailure } from './support/tool.ts';

const command = streamsResetCommand();

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<StreamsResetOptions>(command, argv);
  checkOptions(options);
  const bootstrap = options.bootstrapServer ?? options.bootstrapServers ?? 'localhost:9092';
  try {
    await withAdmin(bootstrap, options.configFile, admin => reset(admin, options));
  } catch (error) {
    throw new ToolFailure(`ERROR: ${errorText(error)}`);
  }
}

async function reset(admin: Admin, options: StreamsResetOptions): Promise<void> {
  await emptyGroup(admin, options);
  const all = (await admin.listTopics()).map(({ name }) => name);
  if (options.dryRun)
    print('----Dry run displays the actions which will be performed when running Streams Reset Tool----');
  const isComplete = await resetInputs(admin, options, all);
  await deleteInternalTopics(admin, options, all);
  if (!isComplete) process.exitCode = 1;
}

/** Members would commit over the new offsets. @throws Error naming them, unless they are to be removed */
async function emptyGroup(admin: Admin, { applicationId, force }: StreamsResetOptions): Promise<void> {
  const [group] = valuesOf(await admin.describeGroups([applicationId!]));
  if (group!.members.length === 0) return;
  if (!force) {
    const members = group!.members.map(({ memberId, clientId, host }) => `${memberId} (${clientId} ${host})`);
    throw new Error(
      `Consumer group '${applicationId!}' is still active and has following members: ${members.join(', ')}. ` +
        'Make sure to stop all running application instances before running the reset tool. ' +
        "You can use option '--force' to remove active members from the group.",
    );
  }
  print(`Force deleting all active members in the group: ${applicationId!}`);
  for (const { error } of await admin.removeMembers(applicationId!)) if (error !== null) throw error;
}

async function deleteInternalTopics(admin: Admin, options: StreamsResetOptions, all: readonly string[]): Promise<void> {
  const named = [...topicsOf(options.inputTopics), ...topicsOf(options.intermediateTopics)];
  const specified = topicsOf(options.internalTopics);
  const topics = topicsToDelete(internalTopics(all, options.applicationId!, named), specified);
  print(`Deleting ${specified.length === 0 ? 'inferred' : 'specified'} internal topics [${topics.join(', ')}]`);
  if (!options.dryRun && topics.length > 0) await admin.deleteTopics(topics);
  print('Done.');
}

await runTool(command, main);
