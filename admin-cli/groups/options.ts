import type { Command } from 'commander';
import { collect, integer, required, toolCommand, UsageError } from '../support/tool.ts';

const ACTIONS = ['list', 'describe', 'delete', 'resetOffsets', 'deleteOffsets'] as const;
export type GroupsAction = (typeof ACTIONS)[number];

/** What --reset-offsets can be told to do; exactly one of them. */
const SCENARIOS = [
  'toEarliest',
  'toLatest',
  'toCurrent',
  'toOffset',
  'shiftBy',
  'toDatetime',
  'byDuration',
  'fromFile',
] as const;

export interface GroupsOptions extends Partial<Record<GroupsAction, true>> {
  bootstrapServer?: string;
  commandConfig?: string;
  timeout?: number;
  group?: string[];
  allGroups?: true;
  topic?: string[];
  allTopics?: true;
  offsets?: true;
  members?: true;
  /** true: without a value. */
  state?: string | true;
  type?: string | true;
  verbose?: true;
  dryRun?: true;
  execute?: true;
  export?: true;
  toEarliest?: true;
  toLatest?: true;
  toCurrent?: true;
  toOffset?: number;
  shiftBy?: number;
  toDatetime?: string;
  byDuration?: string;
  fromFile?: string;
}

type Name = keyof GroupsOptions;

export function groupsCommand(): Command {
  const command = toolCommand(
    'kafka-consumer-groups',
    'Lists, describes and deletes consumer groups, and sets where they go on reading.',
  )
    .option('--bootstrap-server <servers>', 'REQUIRED: brokers to connect to: host:port, separated by commas.')
    .option('--command-config <file>', 'Properties for the admin client.')
    .option('--timeout <ms>', 'The longest time to wait for brokers. Default: 5000.', integer('timeout', 1))
    .option('--list', 'List all groups of consumers.')
    .option('--describe', 'Show where groups stand (--offsets), who is in them (--members), or how they are (--state).')
    .option('--delete', 'Delete groups without members, and their offsets.')
    .option('--reset-offsets', 'Set the offsets of groups without members; shows them only, unless --execute is given.')
    .option('--delete-offsets', 'Forget the offsets of a group in topics that it does not read.')
    .option('--group <group>', 'A group; repeatable.', collect)
    .option('--all-groups', 'All groups, instead of --group.')
    .option(
      '--topic <topic>',
      'A topic of --reset-offsets or --delete-offsets, or partitions of it as in orders:0,1; repeatable.',
      collect,
    )
    .option('--all-topics', 'Reset all partitions where the group has an offset.');
  return resetOptions(
    command
      .option('--offsets', 'Describe partitions, with offsets and lag: what --describe does anyway.')
      .option('--members', 'Describe members.')
      .option('--state [states]', 'Describe states; with --list: show them, or list only groups in the states named.')
      .option('--type [types]', 'With --list: show the types, or list only groups of the types named.')
      .option('--verbose', 'With --members: what each member is assigned.'),
  );
}

function resetOptions(command: Command): Command {
  return command
    .option('--dry-run', 'Only show the new offsets.')
    .option('--execute', 'Set the new offsets.')
    .option('--export', 'Show the new offsets as CSV.')
    .option('--to-earliest', 'Reset to the first record that is left.')
    .option('--to-latest', 'Reset to the end of the log.')
    .option('--to-current', 'Reset to where the group stands; to the end of the log where it has not been.')
    .option('--to-offset <offset>', 'Reset to this offset.', integer('to-offset', 0, Number.MAX_SAFE_INTEGER))
    .option(
      '--shift-by <count>',
      'Reset by so many records, back if negative.',
      integer('shift-by', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    )
    .option('--to-datetime <time>', 'Reset to the first record since then: YYYY-MM-DDTHH:mm:ss.SSS.')
    .option('--by-duration <duration>', 'Reset to the first record since so long ago: PnDTnHnMnS.')
    .option('--from-file <file>', 'Reset to the offsets of a CSV file: what --export showed.');
}

/** Actions that --group, and --topic, do not go together with (Kafka: `ConsumerGroupCommandOptions.checkArgs`). */
const GROUP_EXCLUDES: readonly Name[] = ['allGroups', 'list'];
const TOPIC_EXCLUDES: readonly Name[] = ['list', 'describe'];
const DESCRIBED: readonly Name[] = ['members', 'offsets', 'state'];
const SELECTION: readonly Name[] = ['group', 'allGroups'];

/** The one action that was chosen, if all the options go together. @throws UsageError in Kafka's words */
export function checkedAction(options: GroupsOptions): GroupsAction {
  required(options.bootstrapServer, 'bootstrap-server');
  const has = (name: Name) => options[name] !== undefined;
  if (has('describe')) checkDescribe(options, has);
  if (has('delete')) checkDelete(has);
  if (has('deleteOffsets') && !(has('group') && has('topic')))
    throw new UsageError(`Option [delete-offsets] takes the following options: ${list(['group', 'topic'])}`);
  if (has('resetOffsets')) checkReset(has);
  for (const other of GROUP_EXCLUDES) if (has('group') && has(other)) throw excluded('group', other);
  for (const other of TOPIC_EXCLUDES) if (has('topic') && has(other)) throw excluded('topic', other);
  const [action, ...others] = ACTIONS.filter(has);
  if (action === undefined || others.length > 0)
    throw new UsageError(`Command must include exactly one action: ${ACTIONS.map(a => `--${dashed(a)}`).join(', ')}`);
  return action;
}

function checkDescribe({ state }: GroupsOptions, has: (name: Name) => boolean): void {
  checkSelection('describe', has);
  if (DESCRIBED.filter(has).length > 1)
    throw new UsageError(`Option [describe] takes at most one of these options: ${list(DESCRIBED)}`);
  if (typeof state === 'string') throw new UsageError('Option [describe] does not take a value for [state]');
}

function checkDelete(has: (name: Name) => boolean): void {
  checkSelection('delete', has);
  if (has('topic'))
    throw new UsageError('The consumer does not support topic-specific offset deletion from a consumer group.');
}

function checkReset(has: (name: Name) => boolean): void {
  if (has('dryRun') && has('execute'))
    throw new UsageError('Option [reset-offsets] only accepts one of [execute] and [dry-run]');
  checkSelection('resetOffsets', has);
  const [scenario, other] = SCENARIOS.filter(has);
  if (other !== undefined) throw excluded(scenario!, other);
  if (scenario === undefined)
    throw new UsageError(`Option '[reset-offsets]' requires one of the following scenarios: ${list(SCENARIOS)}`);
  if (!has('allTopics') && !has('topic') && !has('fromFile'))
    throw new UsageError('One of the reset scopes should be defined: --all-topics, --topic.');
}

function checkSelection(action: GroupsAction, has: (name: Name) => boolean): void {
  if (!SELECTION.some(has)) {
    throw new UsageError(`Option [${dashed(action)}] takes one of these options: ${list(SELECTION)}`);
  }
}

function excluded(one: Name, other: Name): UsageError {
  return new UsageError(`Option "[${dashed(one)}]" can't be used with option "[${dashed(other)}]"`);
}

function list(names: readonly Name[]): string {
  return names.map(name => `[${dashed(name)}]`).join(', ');
}

function dashed(name: Name): string {
  return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

const STATES = ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty', 'Assigning', 'Reconciling'];
const TYPES = ['Consumer', 'Classic'];

/** The states of --state, in any case; none named stands for all. @throws UsageError naming those that there are */
export function statesOf({ state }: GroupsOptions): string[] {
  return namesOf(state, STATES, 'state', 'states');
}

/** The types of --type; as `statesOf`. */
export function typesOf({ type }: GroupsOptions): string[] {
  return namesOf(type, TYPES, 'types', 'types');
}

function namesOf(given: string | true | undefined, known: readonly string[], one: string, many: string): string[] {
  if (typeof given !== 'string' || given === '') return [];
  return given.split(',').map(part => {
    const name = known.find(candidate => candidate.toLowerCase() === part.trim().toLowerCase());
    if (name !== undefined) return name;
    throw new UsageError(`Invalid ${one} list '${given}'. Valid ${many} are: ${known.join(', ')}`);
  });
}
