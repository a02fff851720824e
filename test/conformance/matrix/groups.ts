import { expect } from 'vitest';
import { waitFor } from '../../support/wait.ts';
import type { FeatureId } from './features.ts';
import { ForeignMember } from './foreign-member.ts';
import type { DriverRecord, ForeignClient, Membership } from './foreign-client.ts';
import type { Examination, Stage } from './stage.ts';

const PARTITIONS = 4;
/** The least that a broker allows, so that a member that has been killed is missed soon. */
export const SESSION_TIMEOUT_MS = 6_000;
export const HEARTBEAT_MS = 300;

export function membershipOf(group: string, topic: string, clientId: string, strategy = 'roundrobin'): Membership {
  return { group, topic, clientId, strategy, sessionTimeoutMs: SESSION_TIMEOUT_MS, heartbeatMs: HEARTBEAT_MS };
}

/** What a test of groups is about: one group, one topic, and members of one client. */
class Scene {
  readonly stage: Stage;
  readonly topic: string;
  readonly group: string;
  readonly #examination: Examination;
  readonly #members: ForeignMember[] = [];
  readonly #clients: ForeignClient[] = [];
  #written = 0;
  #joined = 0;

  private constructor(examination: Examination, topic: string) {
    this.#examination = examination;
    this.stage = examination.stage;
    this.topic = topic;
    this.group = `group-of-${topic}`;
  }

  /** Sees to it that nobody is left in the group, whatever comes of `act`. */
  static async play(examination: Examination, act: (scene: Scene) => Promise<void>): Promise<void> {
    const scene = new Scene(examination, await examination.stage.topic('shared', { partitions: PARTITIONS }));
    try {
      await act(scene);
      for (const member of scene.#members) await member.leave();
    } catch (error) {
      await Promise.all(scene.#members.map(member => member.kill()));
      throw error;
    } finally {
      for (const client of scene.#clients) client.close();
    }
  }

  /** A member more, in a process of its own: some clients do not forget brokers that earlier tests have killed. */
  async member(strategy = 'roundrobin'): Promise<ForeignMember> {
    const { client } = await this.stage.connect(this.#examination.row);
    this.#clients.push(client);
    const clientId = `member-${++this.#joined}`;
    const member = await ForeignMember.join(client, membershipOf(this.group, this.topic, clientId, strategy));
    this.#members.push(member);
    return member;
  }

  /** The member is none any more. */
  dismiss(member: ForeignMember): void {
    this.#members.splice(this.#members.indexOf(member), 1);
  }

  /** Writes to all partitions, equally many. @returns the values */
  async write(count: number): Promise<string[]> {
    const records = Array.from({ length: count }, (): DriverRecord => {
      const number = this.#written++;
      return {
        key: null,
        value: `value-${number}`,
        partition: number % PARTITIONS,
        headers: [],
        timestamp: null,
      };
    });
    await this.stage.write(this.topic, records);
    return records.map(({ value }) => value);
  }

  /** Waits until the group has committed all that was written. */
  async committed(): Promise<void> {
    const next = this.#written / PARTITIONS;
    await waitFor(`${this.group} to have committed ${next} records of each partition`, async () => {
      const committed = await this.stage.committed(this.group);
      return committed.length === PARTITIONS && committed.every(({ offset }) => offset === next);
    });
  }

  /** Waits until the members have all partitions, none of them two of them, and each its part. */
  async sharedOut(...members: ForeignMember[]): Promise<void> {
    const all = Array.from({ length: PARTITIONS }, (_, partition) => partition).join();
    for (const member of members) {
      await member.until('to have its share', () => {
        const held = members.flatMap(({ partitions }) => partitions).sort((a, b) => a - b);
        return held.join() === all && member.partitions.length === PARTITIONS / members.length;
      });
    }
  }
}

const play = (act: (scene: Scene) => Promise<void>) => (examination: Examination) => Scene.play(examination, act);

async function readsAndCommits(scene: Scene): Promise<void> {
  const values = await scene.write(40);
  const member = await scene.member();
  await member.untilRead(values);
  expect(member.values).toHaveLength(values.length);
  await scene.committed();
  const [described] = await scene.stage.admin.describeGroups([scene.group]);
  expect(described).toMatchObject({
    value: { state: 'Stable', protocol: 'roundrobin', members: [{ clientId: member.name }] },
  });
}

async function resumes(scene: Scene): Promise<void> {
  const before = await scene.write(40);
  const first = await scene.member();
  await first.untilRead(before);
  await scene.committed();
  await first.leave();
  scene.dismiss(first);
  const after = await scene.write(20);
  const second = await scene.member();
  await second.untilRead(after);
  expect([...second.values].sort()).toEqual([...after].sort());
  await scene.committed();
}

async function shares(scene: Scene): Promise<void> {
  const first = await scene.member();
  await scene.sharedOut(first);
  const second = await scene.member();
  await scene.sharedOut(first, second);
  const values = await scene.write(40);
  const ofPartitions = (partitions: readonly number[]) => values.filter((_, n) => partitions.includes(n % PARTITIONS));
  for (const member of [first, second]) {
    const own = ofPartitions(member.partitions);
    await member.untilRead(own);
    expect([...member.values].sort()).toEqual(own.sort());
  }
  await scene.committed();
  await second.leave();
  scene.dismiss(second);
  await scene.sharedOut(first);
}

async function takesOver(scene: Scene): Promise<void> {
  const survivor = await scene.member();
  await scene.sharedOut(survivor);
  const victim = await scene.member();
  await scene.sharedOut(survivor, victim);
  await victim.kill();
  scene.dismiss(victim);
  const values = await scene.write(40);
  await survivor.untilRead(values);
  await scene.sharedOut(survivor);
  await scene.committed();
}

async function keepsWhatItHas(scene: Scene): Promise<void> {
  const first = await scene.member('cooperative-sticky');
  await scene.sharedOut(first);
  const second = await scene.member('cooperative-sticky');
  await scene.sharedOut(first, second);
  expect(first.fewest).toBe(PARTITIONS / 2);
  const values = await scene.write(40);
  for (const member of [first, second]) {
    const own = values.filter((_, n) => member.partitions.includes(n % PARTITIONS));
    await member.untilRead(own);
  }
  await scene.committed();
}

async function outlivesItsCoordinator(scene: Scene): Promise<void> {
  const { stage, group } = scene;
  const member = await scene.member();
  await member.untilRead(await scene.write(20));
  await scene.committed();
  const broker = await stage.coordinator('__consumer_offsets', group);
  await broker.kill();
  try {
    await member.untilRead(await scene.write(20));
    await scene.committed();
  } finally {
    await broker.start();
    await Promise.all([stage.leaders('__consumer_offsets'), stage.leaders(scene.topic)]);
  }
}

type GroupFeature = FeatureId & `group${string}`;

export const GROUP_EXAMINATIONS: Readonly<Record<GroupFeature, (examination: Examination) => Promise<void>>> = {
  groupCommit: play(readsAndCommits),
  groupResume: play(resumes),
  groupShare: play(shares),
  groupTakeover: play(takesOver),
  groupCooperative: play(keepsWhatItHas),
  groupFailover: play(outlivesItsCoordinator),
};
