import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AssignorMember, GroupAssignment } from '../../client/consumer/assignors/assignor.ts';
import { assignorsOf } from '../../client/consumer/assignors/by-name.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { run } from '../support/run.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { javaDriver, JAVA_ABSENCE } from './java-codec.ts';

/** The SDK's assignors beside Apache Kafka's, on random groups. */

const CASES = 400;
const SEED = Number(process.env.ASSIGNORS_SEED ?? Date.now() % 1_000_000);
const RACKS = ['a', 'b', 'c'];

/** Topics with the racks of each partition's replicas, and those who want them. */
interface Case {
  readonly assignor: string;
  readonly topics: Readonly<Record<string, readonly (readonly string[])[]>>;
  readonly members: readonly AssignorMember[];
}

const some = <T>(random: Random, items: readonly T[], chance: number): T[] =>
  items.filter(() => random.float() < chance);

/** Often topics with equally many partitions, which range keeps aligned, and members that want the same. */
function randomCase(random: Random, assignor: string, hasRacks: boolean): Case {
  const names = ['t', 'u', 'v'].slice(0, 1 + random.int(3));
  const usual = random.int(9);
  const replicas = () => (hasRacks ? some(random, RACKS, 0.6) : []);
  const topics = Object.fromEntries(
    names.map(name => {
      const count = random.int(3) > 0 ? usual : random.int(9);
      return [name, Array.from({ length: count }, replicas)];
    }),
  );
  const likeAll = random.int(3) > 0;
  const members = Array.from({ length: 1 + random.int(6) }, (_, n): AssignorMember => ({
    memberId: `m${random.int(1000)}-${n}`,
    instanceId: random.int(4) === 0 ? `i${n}` : null,
    topics: likeAll ? names : [...new Set([names[random.int(names.length)]!, ...some(random, names, 0.5)])],
    owned: [],
    generation: -1,
    userData: null,
    rackId: hasRacks && random.int(5) > 0 ? [...RACKS, 'elsewhere'][random.int(4)]! : null,
  }));
  return { assignor, topics, members };
}

function ours({ assignor, topics, members }: Case): GroupAssignment {
  const known = Object.entries(topics).filter(([, partitions]) => partitions.length > 0);
  const counts = new Map(known.map(([name, partitions]) => [name, partitions.length]));
  const racks = new Map(known.map(([name, partitions]) => [name, partitions.map(replicas => new Set(replicas))]));
  return assignorsOf(assignor)[0]!.assign(counts, members, racks);
}

const inWords = (assignment: GroupAssignment) =>
  Object.fromEntries(
    [...assignment].map(([member, given]) => [
      member,
      given.map(({ topic, partition }) => partitionKey(topic, partition)),
    ]),
  );

async function theirs(cases: readonly Case[]): Promise<Record<string, string[]>[]> {
  const [program, args] = javaDriver('Assignors');
  const input = cases.map(asked => `${JSON.stringify(asked)}\n`).join('');
  const { code, stdout, stderr } = await run(program, args, { input });
  expect(code, stderr).toBe(0);
  return stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, string[]>);
}

describe.skipIf(existsSync(JAVA_ABSENCE))('Apache Kafka’s assignors and ours', () => {
  test.each([
    ['range', 'without racks', false],
    ['range', 'with racks', true],
    ['roundrobin', 'without racks', false],
    ['cooperative-sticky', 'of a new group', false],
  ])('%s %s: the same', async (assignor, _what, hasRacks) => {
    console.log(`assignors: ASSIGNORS_SEED=${SEED}`);
    const random = seededRandom(SEED);
    const cases = Array.from({ length: CASES }, () => randomCase(random, assignor, hasRacks));
    const answers = await theirs(cases);
    for (const [n, asked] of cases.entries()) expect(inWords(ours(asked)), JSON.stringify(asked)).toEqual(answers[n]);
  });
});
