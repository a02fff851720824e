import { describe, expect, test } from 'vitest';
import {
  consumerSettings,
  formatterProperties,
  groupOf,
  selection,
  type ConsumerOptions,
} from '../../../../admin-cli/consuming/options.ts';

const select = (options: ConsumerOptions) => selection(options, consumerSettings(options));

describe('what to read', () => {
  test('a topic from the latest record on, unless said otherwise', () => {
    expect(select({ topic: 't' })).toEqual({
      topics: { name: 't' },
      partition: null,
      start: 'latest',
      withInternal: false,
    });
    const all = ['exclude.internal.topics=false'];
    expect(select({ include: '.*', consumerProperty: all })).toMatchObject({ withInternal: true });
    expect(select({ topic: 't', fromBeginning: true })).toMatchObject({ start: 'earliest' });
    expect(select({ topic: 't', consumerProperty: ['auto.offset.reset=earliest'] })).toMatchObject({
      start: 'earliest',
    });
  });

  test.each([
    ['earliest', 'earliest'],
    ['Latest', 'latest'],
    ['42', 42],
  ])('--partition --offset %s', (offset, start) => {
    expect(select({ topic: 't', partition: 1, offset })).toMatchObject({ partition: 1, start });
  });

  test('topics by pattern', () => {
    const { topics } = select({ include: 'a.*,b' });
    if (!('matches' in topics)) throw new Error('expected a pattern');
    expect(['ab', 'b', 'xb'].map(name => topics.matches.test(name))).toEqual([true, true, false]);
  });

  test.each<[ConsumerOptions, RegExp]>([
    [{}, /Exactly one of --include\/--topic is required/],
    [{ topic: 't', include: 'x' }, /Exactly one of/],
    [{ include: 'x', partition: 0 }, /The topic is required when partition is specified/],
    [{ topic: 't', offset: '1' }, /The partition is required when offset is specified/],
    [{ topic: 't', partition: 0, offset: '-5' }, /Valid values are 'earliest', 'latest', or a non-negative long/],
    [{ topic: 't', partition: 0, offset: '1', fromBeginning: true }, /can't be specified together/],
    [
      { topic: 't', fromBeginning: true, consumerProperty: ['auto.offset.reset=latest'] },
      /Can't simultaneously specify --from-beginning/,
    ],
  ])('%j is refused', (options, message) => {
    expect(() => select(options)).toThrow(message);
  });
});

test('deserializers may be given as options, too', () => {
  expect(formatterProperties({ property: ['print.key=true'], keyDeserializer: 'a.B' })).toEqual({
    'print.key': 'true',
    'key.deserializer': 'a.B',
  });
});

describe('the group to read in', () => {
  const group = (options: ConsumerOptions) => groupOf(options, consumerSettings(options));

  test('of --group, of the settings, or none', () => {
    expect(group({ topic: 't' })).toBeNull();
    expect(group({ topic: 't', group: 'g' })).toBe('g');
    expect(group({ topic: 't', consumerProperty: ['group.id=h'] })).toBe('h');
    expect(group({ topic: 't', partition: 0, consumerProperty: ['group.id=h'] })).toBeNull();
  });

  test('is one', () => {
    expect(() => group({ topic: 't', group: 'g', consumerProperty: ['group.id=h'] })).toThrow("'g', 'h'");
    expect(() => group({ topic: 't', group: 'g', partition: 0 })).toThrow(
      'Options group and partition cannot be specified together.',
    );
  });
});
