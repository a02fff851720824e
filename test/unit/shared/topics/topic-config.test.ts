import { describe, expect, it } from 'vitest';
import { MAX_LONG } from '../../../../shared/config/types.ts';
import {
  BUILT_IN_TOPIC_CONFIG,
  effectiveTopicConfig,
  topicConfigProblem,
  topicConfigRow,
} from '../../../../shared/topics/topic-config.ts';

describe('effectiveTopicConfig', () => {
  it('puts overrides over the defaults, typed', () => {
    const defaults = { ...BUILT_IN_TOPIC_CONFIG, 'segment.bytes': 1000 };
    const config = effectiveTopicConfig({ 'retention.ms': ' 5 ', 'cleanup.policy': 'compact,delete' }, defaults);
    expect(config['retention.ms']).toBe(5);
    expect(config['cleanup.policy']).toEqual(['compact', 'delete']);
    expect(config['segment.bytes']).toBe(1000);
    expect(config['unclean.leader.election.enable']).toBe(false);
  });

  it('passes over what a tool wrote wrongly to ZooKeeper', () => {
    const config = effectiveTopicConfig({ 'retention.ms': 'soon', 'segment.bytes': '1', nonsense: 'x', toString: 'x' });
    expect(config).toEqual(BUILT_IN_TOPIC_CONFIG);
  });

  it('lets the older symmetric time bound count where the newer one is not set', () => {
    const config = effectiveTopicConfig({
      'message.timestamp.difference.max.ms': '100',
      'message.timestamp.after.max.ms': '7',
    });
    expect(config['message.timestamp.before.max.ms']).toBe(100);
    expect(config['message.timestamp.after.max.ms']).toBe(7);
    expect(BUILT_IN_TOPIC_CONFIG['message.timestamp.before.max.ms']).toBe(MAX_LONG);
  });
});

describe('topicConfigProblem', () => {
  it('is null for what may be set', () => {
    const good = {
      'cleanup.policy': '',
      'leader.replication.throttled.replicas': '*',
      'follower.replication.throttled.replicas': '0:1,1:2',
      'compression.type': 'zstd',
    };
    expect(topicConfigProblem(good)).toBeNull();
  });

  it('names an unknown setting', () => {
    expect(topicConfigProblem({ 'retention.msec': '1' })).toBe('Unknown topic config name: retention.msec');
    expect(topicConfigProblem({ constructor: '1' })).toMatch(/Unknown/);
  });

  it.each([
    ['segment.bytes', '13'],
    ['cleanup.policy', 'compact,remove'],
    ['min.insync.replicas', '0'],
    ['min.cleanable.dirty.ratio', '1.1'],
    ['retention.ms', '-2'],
    ['compression.type', 'none'],
    ['follower.replication.throttled.replicas', '1'],
    ['preallocate', 'maybe'],
  ])('names key, value and what is allowed for %s=%s', (key, value) => {
    expect(topicConfigProblem({ [key]: value })).toMatch(new RegExp(`^${key} cannot be "${value}": it must be .+\\.$`));
  });

  it('holds the two compaction lags against each other, whichever of them the topic sets', () => {
    expect(topicConfigProblem({ 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '9' })).toMatch(/greater than/);
    const defaults = { ...BUILT_IN_TOPIC_CONFIG, 'max.compaction.lag.ms': 5 };
    expect(topicConfigProblem({ 'min.compaction.lag.ms': '6' }, defaults)).toMatch(/greater than/);
  });
});

it('has a row for names in the table only', () => {
  expect(topicConfigRow('segment.ms')?.synonym).toBe('log.roll.ms');
  expect(topicConfigRow('hasOwnProperty')).toBeUndefined();
});
