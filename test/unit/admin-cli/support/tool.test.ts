import { describe, expect, test } from 'vitest';
import { collect, integer, parseOptions, toolCommand, UsageError } from '../../../../admin-cli/support/tool.ts';

const command = () =>
  toolCommand('kafka-sample', 'A sample.')
    .option('--topic <topic>', '')
    .option('--partitions <n>', '', integer('partitions', 1))
    .option('--offset <offset>', '')
    .option('--property <name=value>', '', collect)
    .option('--producer.config <file>', '')
    .option('--compression-codec [codec]', '')
    .option('--list', '');

const parse = (...argv: string[]) => parseOptions<Record<string, unknown>>(command(), argv);

describe('options as Kafka takes them', () => {
  test.each([
    [['--topic', 'a'], { topic: 'a' }],
    [['--topic=a=b'], { topic: 'a=b' }],
    [['-topic', 'a'], { topic: 'a' }],
    [['-topic=a'], { topic: 'a' }],
    [['-list'], { list: true }],
    [['--producer.config', 'f'], { 'producer.config': 'f' }],
    [['--offset', '-2'], { offset: '-2' }],
    [['--topic', '-dashed-name'], { topic: '-dashed-name' }],
    [['--property', 'a=1', '--property', 'b='], { property: ['a=1', 'b='] }],
    [['--compression-codec', '--topic', 'a'], { compressionCodec: true, topic: 'a' }],
    [['--compression-codec', 'lz4'], { compressionCodec: 'lz4' }],
    [['--partitions', '3'], { partitions: 3 }],
  ])('%j', (argv, expected) => {
    expect(parse(...argv)).toEqual(expected);
  });

  test.each([
    [['--top', 'a'], 'top is not a recognized option'],
    [['-x'], 'x is not a recognized option'],
    [['--nope=1'], 'nope is not a recognized option'],
    [['--topic'], 'Option topic requires an argument'],
    [['--partitions', '0'], "Cannot parse argument '0' of option partitions: allowed is an integer from 1 on"],
    [['--partitions', 'many'], "Cannot parse argument 'many' of option partitions: allowed is an integer from 1 on"],
    [['--help'], ''],
    [[], ''],
  ])('%j is wrong use: %s', (argv, message) => {
    expect(() => parse(...argv)).toThrow(UsageError);
    try {
      parse(...argv);
    } catch (error) {
      expect((error as Error).message).toBe(message);
    }
  });
});
