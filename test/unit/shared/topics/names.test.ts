import { describe, expect, it } from 'vitest';
import {
  collidingTopic,
  hasCollisionChars,
  isInternalTopic,
  topicNameProblem,
} from '../../../../shared/topics/names.ts';

describe('topicNameProblem', () => {
  it.each(['a', 'valid_TOPIC-1.2', '...', '__consumer_offsets', 'x'.repeat(249)])('accepts %s', name => {
    expect(topicNameProblem(name)).toBeNull();
  });

  it.each(['', '.', '..', 'x'.repeat(250), 'a b', 'a/b', 'ä', 'a\n', 'a,b', 'a:b', '\0'])('refuses %j', name => {
    expect(topicNameProblem(name)).toMatch(/\.$/);
  });
});

describe('collidingTopic', () => {
  it('finds a name that differs in . and _ only', () => {
    expect(collidingTopic('a.b', ['x', 'a_b'])).toBe('a_b');
    expect(collidingTopic('a_b.c', ['a.b_c'])).toBe('a.b_c');
  });

  it('lets the name itself and all others be', () => {
    expect(collidingTopic('a.b', ['a.b', 'a-b', 'ab', 'a.c'])).toBeNull();
    expect(collidingTopic('ab', ['a.b', 'a_b'])).toBeNull();
  });
});

it('knows which names may collide, and which topics are internal', () => {
  expect([hasCollisionChars('a.b'), hasCollisionChars('a_b'), hasCollisionChars('a-b')]).toEqual([true, true, false]);
  expect(['__consumer_offsets', '__transaction_state', '__other'].map(isInternalTopic)).toEqual([true, true, false]);
});
