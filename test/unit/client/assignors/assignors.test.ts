import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Assignor, AssignorMember, GroupAssignment } from '../../../../client/consumer/assignors/assignor.ts';
import { assignorsOf } from '../../../../client/consumer/assignors/by-name.ts';
import { rangeAssignor } from '../../../../client/consumer/assignors/range.ts';
import { roundRobinAssignor } from '../../../../client/consumer/assignors/round-robin.ts';
import { cooperativeStickyAssignor, stickyAssignor } from '../../../../client/consumer/assignors/sticky.ts';
import type { TopicPartition } from '../../../../shared/topics/topic-partition.ts';

const member = (memberId: string, topics: string[], more: Partial<AssignorMember> = {}): AssignorMember => ({
  memberId,
  instanceId: null,
  topics,
  owned: [],
  generation: -1,
  userData: null,
  rackId: null,
  ...more,
});

/** `t0-1` for partition 1 of topic t0. */
const partitions = (...names: string[]): TopicPartition[] =>
  names.map(name => ({ topic: name.split('-')[0]!, partition: Number(name.split('-')[1]) }));

function namesOf(assignment: GroupAssignment): Record<string, string> {
  return Object.fromEntries(
    [...assignment].map(([id, given]) => [id, given.map(({ topic, partition }) => `${topic}-${partition}`).join(' ')]),
  );
}

const counts = (sizes: Record<string, number>) => new Map(Object.entries(sizes));

describe('range', () => {
  const assign = (sizes: Record<string, number>, members: AssignorMember[]) =>
    namesOf(rangeAssignor.assign(counts(sizes), members));

  test('10 partitions over 3 members: 4, 3, 3', () => {
    const given = assign({ t: 10 }, [member('c', ['t']), member('a', ['t']), member('b', ['t'])]);
    expect(given).toEqual({ a: 't-0 t-1 t-2 t-3', b: 't-4 t-5 t-6', c: 't-7 t-8 t-9' });
  });

  test('row 192: two topics of 3 partitions over 2 members, each topic for itself', () => {
    const both = ['t0', 't1'];
    expect(assign({ t0: 3, t1: 3 }, [member('C0', both), member('C1', both)])).toEqual({
      C0: 't0-0 t0-1 t1-0 t1-1',
      C1: 't0-2 t1-2',
    });
  });

  test('static members come first, by their instance id, whatever member ids they get', () => {
    const members = [
      member('a', ['t']),
      member('z', ['t'], { instanceId: 'one' }),
      member('b', ['t'], { instanceId: 'two' }),
    ];
    expect(assign({ t: 3 }, members)).toEqual({ z: 't-0', b: 't-1', a: 't-2' });
  });

  test('more members than partitions, a topic that is not there, topics that not everybody wants', () => {
    const members = [member('a', ['t', 'gone']), member('b', ['t', 'u']), member('c', ['u', 't'])];
    expect(assign({ t: 2, u: 3 }, members)).toEqual({ a: 't-0', b: 't-1 u-0 u-1', c: 'u-2' });
  });
});

describe('range, where racks differ', () => {
  const near = (rackId: string | null, memberId: string, topics = ['t']) => member(memberId, topics, { rackId });
  /** `t: 'a ab b'`: the racks of the replicas of partition 0, 1 and 2. */
  function assign(racks: Record<string, string>, members: AssignorMember[]) {
    const shapes = Object.entries(racks).map(
      ([topic, text]) => [topic, text.split(' ').map(letters => new Set(letters))] as const,
    );
    const sizes = new Map(shapes.map(([topic, partitions]) => [topic, partitions.length]));
    return namesOf(rangeAssignor.assign(sizes, members, new Map(shapes)));
  }

  test('members get what they can read nearby, within their share', () => {
    const members = [near('a', 'm1'), near('b', 'm2')];
    expect(assign({ t: 'b a b a' }, members)).toEqual({ m1: 't-1 t-3', m2: 't-0 t-2' });
    expect(assign({ t: 'b b b a' }, members)).toEqual({ m1: 't-2 t-3', m2: 't-0 t-1' });
  });

  test('a member that does not tell its rack is near to everything', () => {
    expect(assign({ t: 'b a b a' }, [near(null, 'm1'), near('b', 'm2')])).toEqual({ m1: 't-0 t-1', m2: 't-2 t-3' });
  });

  test.each([
    ['all partitions are in all racks', 'ab ab ab ab', 'a', 'b'],
    ['no member is in a rack of theirs', 'b a b a', 'c', 'd'],
    ['no member tells its rack', 'b a b a', null, null],
    ['no broker has a rack', '   ', 'a', 'b'],
  ])('racks do not matter where %s', (_why, racks, one, other) => {
    const given = assign({ t: racks }, [near(one, 'm1'), near(other, 'm2')]);
    expect(given).toEqual({ m1: 't-0 t-1', m2: 't-2 t-3' });
  });

  test('topics with as many partitions stay aligned: who is near to both gets both', () => {
    const members = [near('a', 'm1', ['t', 'u']), near('b', 'm2', ['t', 'u'])];
    expect(assign({ t: 'b a b a', u: 'b a ab ab' }, members)).toEqual({
      m1: 't-1 t-3 u-1 u-3',
      m2: 't-0 t-2 u-0 u-2',
    });
    // Nobody is near to partition 0 of both.
    expect(assign({ t: 'b a', u: 'a a' }, members)).toEqual({ m1: 't-1 u-1', m2: 't-0 u-0' });
  });
});

describe('roundrobin', () => {
  const assign = (sizes: Record<string, number>, members: AssignorMember[]) =>
    namesOf(roundRobinAssignor.assign(counts(sizes), members));

  test('two topics of 3 partitions over 2 members, as one row', () => {
    const both = ['t0', 't1'];
    expect(assign({ t0: 3, t1: 3 }, [member('C0', both), member('C1', both)])).toEqual({
      C0: 't0-0 t0-2 t1-1',
      C1: 't0-1 t1-0 t1-2',
    });
  });

  test('members that want different topics', () => {
    const members = [member('C0', ['t0']), member('C1', ['t0', 't1']), member('C2', ['t0', 't1', 't2'])];
    expect(assign({ t0: 1, t1: 2, t2: 3 }, members)).toEqual({
      C0: 't0-0',
      C1: 't1-0',
      C2: 't1-1 t2-0 t2-1 t2-2',
    });
  });
});

/** What the members say when they join again, each by the assignor's own way of saying it. */
function rejoin(assignor: Assignor, before: GroupAssignment, topicsOf: (id: string) => string[], ids: string[]) {
  return ids.map(id => {
    const had = before.get(id) ?? [];
    const generation = before.has(id) ? 1 : -1;
    const userData = before.has(id) ? assignor.userData!(had, generation) : null;
    return member(id, topicsOf(id), { userData, ...(assignor.isCooperative ? { owned: had, generation } : {}) });
  });
}

describe('sticky', () => {
  test('members that want different topics: as even as it can be', () => {
    const members = [member('C0', ['t0']), member('C1', ['t0', 't1']), member('C2', ['t0', 't1', 't2'])];
    expect(namesOf(stickyAssignor.assign(counts({ t0: 1, t1: 2, t2: 3 }), members))).toEqual({
      C0: 't0-0',
      C1: 't1-0 t1-1',
      C2: 't2-0 t2-1 t2-2',
    });
  });

  test('a member that leaves is shared out among the others, who keep what they have', () => {
    const ids = ['a', 'b', 'c'];
    const first = stickyAssignor.assign(
      counts({ t: 6 }),
      ids.map(id => member(id, ['t'])),
    );
    expect(namesOf(first)).toEqual({ a: 't-0 t-3', b: 't-1 t-4', c: 't-2 t-5' });
    const second = stickyAssignor.assign(
      counts({ t: 6 }),
      rejoin(stickyAssignor, first, () => ['t'], ['b', 'c']),
    );
    expect(namesOf(second)).toEqual({ b: 't-1 t-4 t-0', c: 't-2 t-5 t-3' });
  });

  test('row 192: what two claim of one generation belongs to neither; a later generation wins', () => {
    const claim = (generation: number, ...names: string[]) => ({
      userData: stickyAssignor.userData!(partitions(...names), generation),
    });
    const disputed = [member('a', ['t'], claim(3, 't-0', 't-1')), member('b', ['t'], claim(3, 't-1', 't-2'))];
    expect(namesOf(stickyAssignor.assign(counts({ t: 4 }), disputed))).toEqual({ a: 't-0 t-1', b: 't-2 t-3' });
    const outdated = [member('a', ['t'], claim(2, 't-0', 't-1')), member('b', ['t'], claim(3, 't-1', 't-0'))];
    expect(namesOf(stickyAssignor.assign(counts({ t: 2 }), outdated))).toEqual({ a: 't-0', b: 't-1' });
  });

  test('user data of the first version, and what is none, claim nothing of a generation', () => {
    const first = Buffer.from('00000001' + '000174' + '00000001' + '00000001', 'hex');
    const members = [
      member('a', ['t'], { userData: Buffer.from('ff', 'hex') }),
      member('b', ['t'], { userData: first }),
    ];
    expect(namesOf(stickyAssignor.assign(counts({ t: 2 }), members))).toEqual({ a: 't-0', b: 't-1' });
  });
});

describe('cooperative-sticky', () => {
  test('row 192: a partition is given only after its owner has given it up: two rebalances', () => {
    const old = member('a', ['t'], { owned: partitions('t-0', 't-1'), generation: 1 });
    const first = cooperativeStickyAssignor.assign(counts({ t: 2 }), [old, member('b', ['t'])]);
    expect(namesOf(first)).toEqual({ a: 't-0', b: '' });
    const second = cooperativeStickyAssignor.assign(counts({ t: 2 }), [
      member('a', ['t'], { owned: partitions('t-0'), generation: 2 }),
      member('b', ['t'], { generation: 2 }),
    ]);
    expect(namesOf(second)).toEqual({ a: 't-0', b: 't-1' });
  });
});

const someTopics = fc.dictionary(fc.constantFrom('t', 'u', 'v'), fc.integer({ min: 1, max: 9 }), { minKeys: 1 });
const allOf = (sizes: Record<string, number>) =>
  Object.entries(sizes).flatMap(([topic, count]) => Array.from({ length: count }, (_, i) => `${topic}-${i}`));

describe.each(assignorsOf('range, roundrobin, sticky, cooperative-sticky').map(a => [a.name, a] as const))(
  '%s, whoever wants what',
  (_name, assignor) => {
    test('each partition that somebody wants goes to exactly one who wants it', () => {
      const wishes = fc.array(fc.uniqueArray(fc.constantFrom('t', 'u', 'v')), { minLength: 1, maxLength: 6 });
      fc.assert(
        fc.property(someTopics, wishes, (sizes, lists) => {
          const members = lists.map((topics, i) => member(`m${i}`, topics));
          const assignment = assignor.assign(counts(sizes), members);
          expect([...assignment.keys()].sort()).toEqual(members.map(({ memberId }) => memberId));
          for (const { memberId, topics } of members)
            for (const { topic } of assignment.get(memberId)!) expect(topics).toContain(topic);
          const given = Object.values(namesOf(assignment)).flatMap(text => text.split(' ').filter(name => name !== ''));
          const wanted = new Set<string>(lists.flat());
          expect(given.sort()).toEqual(
            allOf(sizes)
              .filter(name => wanted.has(name.split('-')[0]!))
              .sort(),
          );
        }),
      );
    });
  },
);

test.each([stickyAssignor, cooperativeStickyAssignor])('$name: even, and nothing moves without need', assignor => {
  fc.assert(
    fc.property(someTopics, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), (sizes, before, after) => {
      const topics = Object.keys(sizes);
      const idsUpTo = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);
      const first = assignor.assign(
        counts(sizes),
        idsUpTo(before).map(id => member(id, topics)),
      );
      let now = first;
      // The second round gives what the first one has freed, where members give up one thing before another gets it.
      for (let round = 0; round < 2; round++)
        now = assignor.assign(
          counts(sizes),
          rejoin(assignor, now, () => topics, idsUpTo(after)),
        );
      const total = allOf(sizes).length;
      for (const given of now.values()) {
        expect(given.length).toBeGreaterThanOrEqual(Math.floor(total / after));
        expect(given.length).toBeLessThanOrEqual(Math.ceil(total / after));
      }
      for (const [id, given] of now) {
        const had = new Set(namesOf(first)[id]?.split(' ') ?? []);
        const kept = given.filter(({ topic, partition }) => had.has(`${topic}-${partition}`)).length;
        expect(kept).toBeGreaterThanOrEqual(Math.min(first.get(id)?.length ?? 0, Math.floor(total / after)));
      }
    }),
  );
});

test('a strategy that nobody knows is refused, Kafka’s class names are known', () => {
  const { name } = assignorsOf('org.apache.kafka.clients.consumer.StickyAssignor')[0]!;
  expect(name).toBe('sticky');
  expect(() => assignorsOf('range,best')).toThrow(
    'Invalid value best for partition.assignment.strategy: allowed are range, roundrobin, sticky, cooperative-sticky.',
  );
});
