import { describe, expect, test } from 'vitest';
import { checkedAction, topicsCommand, type TopicsOptions } from '../../../../admin-cli/topics/options.ts';
import { collisionWarning } from '../../../../admin-cli/topics/messages.ts';
import { parseOptions } from '../../../../admin-cli/support/tool.ts';

const check = (line: string) => checkedAction(parseOptions<TopicsOptions>(topicsCommand(), line.split(' ')));
const B = '--bootstrap-server b:1';
const Z = '--zookeeper z:1';

describe('kafka-topics', () => {
  test.each([
    [`--list ${B}`, 'list'],
    [`--create --topic t ${B}`, 'create'],
    [`--create --topic t --partitions 1 --replication-factor 1 ${Z}`, 'create'],
    [`--create --topic t --replica-assignment 0:1 ${Z}`, 'create'],
    [`--describe --under-replicated-partitions ${B}`, 'describe'],
    [`--describe --topics-with-overrides ${Z}`, 'describe'],
    [`--alter --topic t --partitions 3 ${B}`, 'alter'],
    [`--alter --topic t --config a=b ${Z}`, 'alter'],
    [`--delete --topic t --if-exists ${B}`, 'delete'],
  ])('%s', (line, action) => {
    expect(check(line)).toBe(action);
  });

  test.each([
    [`--topic t ${B}`, 'Command must include exactly one action: --list, --describe, --create, --alter or --delete'],
    [
      `--list --create ${B}`,
      'Command must include exactly one action: --list, --describe, --create, --alter or --delete',
    ],
    ['--list', 'Missing required argument "[bootstrap-server]"'],
    [`--list ${B} ${Z}`, 'Only one of --bootstrap-server or --zookeeper must be specified'],
    [`--create ${B}`, 'Missing required argument "[topic]"'],
    [`--create --topic t ${Z}`, 'Missing required argument "[partitions]"'],
    [`--create --topic t --partitions 1 ${Z}`, 'Missing required argument "[replication-factor]"'],
    [
      `--create --topic t --partitions 1 --replica-assignment 0 ${B}`,
      'Option "[replica-assignment]" can\'t be used with option "[partitions]"',
    ],
    [`--list --partitions 1 ${B}`, 'Option "[partitions]" can\'t be used with option "[list]"'],
    [
      `--alter --topic t --if-not-exists --partitions 2 ${B}`,
      'Option "[if-not-exists]" can\'t be used with option "[alter]"',
    ],
    [`--alter --topic t ${B}`, 'Missing required argument "[partitions]"'],
    [
      `--alter --topic t --config a=b ${B}`,
      'Option combination "[bootstrap-server],[config]" can\'t be used with option "[alter]" (the kafka-configs CLI supports altering topic configs with a --bootstrap-server option)',
    ],
    [
      `--describe --under-replicated-partitions --unavailable-partitions ${B}`,
      'Option "[under-replicated-partitions]" can\'t be used with option "[unavailable-partitions]"',
    ],
    [
      `--describe --at-min-isr-partitions ${Z}`,
      'Option "[at-min-isr-partitions]" can\'t be used with option "[zookeeper]"',
    ],
    [
      `--create --topic t --replication-factor 40000 ${B}`,
      "Cannot parse argument '40000' of option replication-factor: allowed is an integer from 1 to 32767",
    ],
  ])('%s is wrong use', (line, message) => {
    expect(() => check(line)).toThrow(message);
  });

  test('a name that may collide in metrics is warned of', () => {
    expect(collisionWarning('a.b')).toMatch(/^WARNING: Due to limitations in metric names/);
    expect(collisionWarning('a-b')).toBeNull();
  });
});
