import { describe, expect, test } from 'vitest';
import {
  checkedAction,
  groupsCommand,
  statesOf,
  typesOf,
  type GroupsOptions,
} from '../../../../admin-cli/groups/options.ts';
import { parseTopicArgument } from '../../../../admin-cli/groups/topic-arguments.ts';
import { parseOptions, UsageError } from '../../../../admin-cli/support/tool.ts';

const parse = (line: string): GroupsOptions =>
  parseOptions(groupsCommand(), `--bootstrap-server b:1 ${line}`.split(' '));

describe('the action', () => {
  test.each<[string, string]>([
    ['--list', 'list'],
    ['--list --state --type', 'list'],
    ['--describe --group g --group h --members --verbose', 'describe'],
    ['--describe --all-groups --state', 'describe'],
    ['--delete --all-groups', 'delete'],
    ['--reset-offsets --group g --topic t:0 --topic u --to-offset 5 --execute', 'resetOffsets'],
    ['--reset-offsets --all-groups --all-topics --shift-by -5 --dry-run --export', 'resetOffsets'],
    ['--reset-offsets --group g --from-file plan.csv', 'resetOffsets'],
    ['--delete-offsets --group g --topic t', 'deleteOffsets'],
  ])('%s', (line, action) => {
    expect(checkedAction(parse(line))).toBe(action);
  });

  // The texts are Kafka's: scripts and people know them.
  test.each<[string, string]>([
    [
      '--timeout 5',
      'Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets',
    ],
    ['--list --delete --all-groups', 'Command must include exactly one action'],
    ['--describe', 'Option [describe] takes one of these options: [group], [all-groups]'],
    [
      '--describe --group g --members --state',
      'Option [describe] takes at most one of these options: [members], [offsets], [state]',
    ],
    ['--describe --group g --state Stable', 'Option [describe] does not take a value for [state]'],
    ['--describe --group g --topic t', 'Option "[topic]" can\'t be used with option "[describe]"'],
    ['--list --group g', 'Option "[group]" can\'t be used with option "[list]"'],
    ['--describe --group g --all-groups', 'Option "[group]" can\'t be used with option "[all-groups]"'],
    ['--delete', 'Option [delete] takes one of these options'],
    ['--delete --group g --topic t', 'does not support topic-specific offset deletion'],
    ['--delete-offsets --group g', 'Option [delete-offsets] takes the following options: [group], [topic]'],
    ['--reset-offsets --to-earliest --all-topics', 'Option [reset-offsets] takes one of these options'],
    [
      '--reset-offsets --group g --to-latest --all-topics --execute --dry-run',
      'only accepts one of [execute] and [dry-run]',
    ],
    [
      '--reset-offsets --group g --all-topics',
      "Option '[reset-offsets]' requires one of the following scenarios: [to-earliest]",
    ],
    ['--reset-offsets --group g --to-earliest', 'One of the reset scopes should be defined: --all-topics, --topic.'],
    [
      '--reset-offsets --group g --all-topics --to-earliest --shift-by 3',
      'Option "[to-earliest]" can\'t be used with option "[shift-by]"',
    ],
  ])('%s is refused', (line, problem) => {
    expect(() => checkedAction(parse(line))).toThrow(UsageError);
    expect(() => checkedAction(parse(line))).toThrow(problem);
  });

  test('needs brokers to ask, and numbers that are some', () => {
    expect(() => checkedAction({ list: true })).toThrow('Missing required argument "[bootstrap-server]"');
    expect(() => parse('--reset-offsets --shift-by many')).toThrow("Cannot parse argument 'many' of option shift-by");
    expect(() => parse('--reset-offsets --to-offset -1')).toThrow("Cannot parse argument '-1' of option to-offset");
    expect(() => parse('--list --timeout 0')).toThrow('timeout');
  });
});

test('states and types are known ones, in any case', () => {
  expect(statesOf(parse('--list --state'))).toEqual([]);
  expect(statesOf(parse('--list --state stable,EMPTY'))).toEqual(['Stable', 'Empty']);
  expect(typesOf(parse('--list --type classic'))).toEqual(['Classic']);
  expect(() => statesOf(parse('--list --state busy,Stable'))).toThrow(
    "Invalid state list 'busy,Stable'. Valid states are: Pre",
  );
  expect(() => typesOf(parse('--list --type share'))).toThrow(
    "Invalid types list 'share'. Valid types are: Consumer, Classic",
  );
});

test('a topic is named as a whole, or by some of its partitions', () => {
  expect(parseTopicArgument('orders')).toEqual({ topic: 'orders', partitions: null });
  expect(parseTopicArgument('orders:2,0,2')).toEqual({ topic: 'orders', partitions: [2, 0] });
  expect(() => parseTopicArgument('orders:')).toThrow(
    "Invalid topic arg 'orders:', expected topic name and partitions",
  );
  expect(() => parseTopicArgument(':1')).toThrow("Invalid topic arg ':1'");
  expect(() => parseTopicArgument('a:1:2')).toThrow("Invalid topic arg 'a:1:2'");
  expect(() => parseTopicArgument('orders:1,x')).toThrow("Invalid partition 'x' specified in topic arg 'orders:1,x'");
});
