import { existsSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { createConsumer, type Consumer } from '../../client/index.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { waitFor } from '../support/wait.ts';
import { CLIENTS, type ClientRow } from './matrix/clients.ts';
import type { ForeignClient, GroupRecord } from './matrix/foreign-client.ts';
import { ForeignMember } from './matrix/foreign-member.ts';
import { storedGenerations, type StoredGeneration } from './matrix/group-generations.ts';
import { HEARTBEAT_MS, SESSION_TIMEOUT_MS } from './matrix/groups.ts';
import { Stage } from './matrix/stage.ts';

/**
 * Every client that is here and the SDK in one group, by the assignor that all of them have: each is the leader once, and
 * then leaves or dies. Nothing is lost, and no partition has two owners.
 */

const PARTITIONS = 18;
const STRATEGY = 'roundrobin';
const GROUP = 'mixed';
const SDK = 'samsa';

let stage: Stage;
const clients: ForeignClient[] = [];
let sdk: SdkMember | null = null;

afterEach(async () => {
  for (const client of clients) client.close();
  await sdk?.stop();
  await stage?.close();
});

/** What has been worked on. */
const worked = new Set<string>();
const work = (records: readonly Pick<GroupRecord, 'value'>[]) => records.forEach(({ value }) => worked.add(value));

class SdkMember {
  readonly #consumer: Consumer;
  readonly #loop: Promise<void>;
  #isRunning = true;

  constructor(topic: string) {
    this.#consumer = createConsumer({
      'bootstrap.servers': stage.cluster.bootstrap,
      'group.id': GROUP,
      'client.id': SDK,
      'partition.assignment.strategy': STRATEGY,
      'session.timeout.ms': SESSION_TIMEOUT_MS,
      'heartbeat.interval.ms': HEARTBEAT_MS,
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': false,
    });
    this.#consumer.subscribe([topic]);
    this.#loop = this.#run();
  }

  get partitions(): readonly number[] {
    return this.#consumer.assignment().map(({ partition }) => partition);
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const records = await this.#consumer.poll(200);
      work(records.map(({ value }) => ({ value: String(value) })));
      // A rebalance may have come first: then somebody works on them again.
      if (records.length > 0) await this.#consumer.commit().catch(() => {});
    }
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#consumer.wakeup();
    await this.#loop;
    await this.#consumer.close();
  }
}

/** The group as the coordinator's broker has it on its disk: its generations in order. */
async function generations(): Promise<StoredGeneration[]> {
  const [described] = await stage.admin.describeGroups([GROUP]);
  if (described!.status === 'rejected') throw described!.reason;
  const { dataDirectory } = stage.cluster.brokers[described!.value.coordinator.id]!;
  return storedGenerations(dataDirectory, GROUP).sort((a, b) => a.generation - b.generation);
}

const held = (members: readonly { readonly partitions: readonly number[] }[]) =>
  members
    .flatMap(({ partitions }) => partitions)
    .sort((a, b) => a - b)
    .join();
const ALL = held([{ partitions: Array.from({ length: PARTITIONS }, (_, partition) => partition) }]);

test('all clients in one group: each leads it once', { timeout: 600_000 }, async () => {
  stage = await Stage.open();
  const topic = await stage.topic('mixed', { partitions: PARTITIONS });
  const rows = CLIENTS.filter(({ absence }) => absence === undefined || !existsSync(absence));
  const writer = new SteadyWriter({ bootstrap: stage.cluster.bootstrap, topic, partitions: PARTITIONS, everyMs: 100 });
  const members = new Map<string, ForeignMember>();

  async function join(row: ClientRow): Promise<void> {
    const { client } = await stage.connect(row);
    clients.push(client);
    const timing = { sessionTimeoutMs: SESSION_TIMEOUT_MS, heartbeatMs: HEARTBEAT_MS };
    const membership = { group: GROUP, topic, clientId: row.name, strategy: STRATEGY, ...timing };
    members.set(row.name, await ForeignMember.join(client, membership, work));
  }
  /** Waits until all believe what the coordinator has written down. */
  const settled = () =>
    waitFor(
      'every member to have its share',
      async () => {
        const last = (await generations()).at(-1);
        const present: [string, { readonly partitions: readonly number[] }][] = [...members];
        if (sdk !== null) present.push([SDK, sdk]);
        if (last?.owners.length !== present.length || held(present.map(([, member]) => member)) !== ALL) return false;
        const believed = present.map(([name, member]) => [name, held([member])] as const);
        const written = last.owners.map(([name, partitions]) => [name, held([{ partitions }])] as const);
        return JSON.stringify(believed.sort()) === JSON.stringify(written.sort()) && last;
      },
      { timeoutMs: 90_000, everyMs: 250 },
    );

  const allWorkedOn = () =>
    waitFor('every record to be worked on', () =>
      [...writer.acknowledged.values()].every(number => worked.has(String(number))),
    );
  /** kcat forgets the record that it has at hand when it is told to end, and commits it all the same. */
  async function leaveAtRest(member: ForeignMember): Promise<void> {
    await writer.pause();
    await allWorkedOn();
    await member.leave();
    writer.resume();
  }

  for (const row of rows) await join(row);
  sdk = new SdkMember(topic);
  const leaders = new Set<string>();
  while (leaders.size < rows.length) {
    const { leader, protocol } = await settled();
    expect(protocol).toBe(STRATEGY);
    const member = members.get(leader!);
    if (member === undefined) {
      expect(leader).toBe(SDK);
      await sdk.stop();
      sdk = new SdkMember(topic);
      continue;
    }
    leaders.add(leader!);
    members.delete(leader!);
    const row = rows.find(({ name }) => name === leader)!;
    if (row.commitsByItself === true) await leaveAtRest(member);
    else if (leaders.size % 2 === 0) await member.leave();
    else await member.kill();
    await join(row);
    await writer.progress(5);
  }
  await settled();
  await writer.stop();
  expect(writer.failed).toEqual([]);

  await allWorkedOn();
  const all = await generations();
  for (const { generation, owners } of all) {
    const given = owners.flatMap(([, partitions]) => partitions);
    expect(new Set(given).size, `owners of generation ${generation}`).toBe(given.length);
  }
  const led = new Set(all.map(({ leader }) => leader));
  for (const { name } of rows) expect(led).toContain(name);
  console.log(
    `mixed group: ${writer.acknowledged.size} records, ${all.length} generations, led by ${[...led].join(', ')}`,
  );
});
