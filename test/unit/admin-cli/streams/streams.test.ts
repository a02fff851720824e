import { describe, expect, test } from 'vitest';
import { internalTopics, topicsToDelete } from '../../../../admin-cli/streams/internal-topics.ts';
import {
  checkOptions,
  streamsResetCommand,
  topicsOf,
  type StreamsResetOptions,
} from '../../../../admin-cli/streams/options.ts';
import { parseOptions } from '../../../../admin-cli/support/tool.ts';

const INTERNAL = [
  'app-counts-changelog',
  'app-by-key-repartition',
  'app-join-subscription-registration-topic',
  'app-join-subscription-response-topic',
  'app-1-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000004-topic',
  'app-1-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-12-topic',
];
const OTHERS = [
  'app-orders',
  'application-counts-changelog',
  'counts-changelog',
  'app-changelog-2',
  'app-1-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-x-topic',
];

describe('internal topics', () => {
  test('are known by their names', () => {
    expect(internalTopics([...OTHERS, ...INTERNAL], 'app', [])).toEqual(INTERNAL);
    expect(internalTopics(INTERNAL, 'app', ['app-counts-changelog'])).toEqual(INTERNAL.slice(1));
  });

  test('are all deleted, or those that are named, which have to be some', () => {
    expect(topicsToDelete(INTERNAL, [])).toEqual(INTERNAL);
    expect(topicsToDelete(INTERNAL, ['app-counts-changelog'])).toEqual(['app-counts-changelog']);
    expect(() => topicsToDelete(INTERNAL, ['app-counts-changelog', 'orders'])).toThrow(
      'orders is not an internal topic',
    );
  });
});

test('the options name an application, and one place to go to', () => {
  const check = (line: string) =>
    checkOptions(parseOptions<StreamsResetOptions>(streamsResetCommand(), line.split(' ')));
  expect(() => check('--application-id app --input-topics a,b --shift-by -5 --dry-run')).not.toThrow();
  expect(() => check('--input-topics a')).toThrow('Missing required argument "[application-id]"');
  expect(() => check('--application-id app --to-latest --to-offset 5')).toThrow(
    'Option "[to-offset]" can\'t be used with option "[to-latest]"',
  );
  expect(topicsOf('a, b,,c')).toEqual(['a', 'b', 'c']);
  expect(topicsOf(undefined)).toEqual([]);
});
