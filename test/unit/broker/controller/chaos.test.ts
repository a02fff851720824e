import fc from 'fast-check';
import { expect, test } from 'vitest';
import { partitionKey } from '../../../../shared/topics/topic-partition.ts';
import type { LeaderAndIsr } from '../../../../shared/zookeeper/store.ts';
import { ControllerCluster } from '../../../support/controller-cluster.ts';
import { chaosRuns } from '../../../support/property-runs.ts';

const BROKERS = [0, 1, 2, 3];
const TOPICS = ['a', 'b'];

type Action =
  | {
      readonly kind: 'crash' | 'restart' | 'stop' | 'expire' | 'disconnect' | 'reconnect' | 'mute' | 'unmute';
      readonly id: number;
    }
  | { readonly kind: 'create'; readonly topic: string; readonly replicas: readonly number[] }
  | { readonly kind: 'delete'; readonly topic: string }
  | { readonly kind: 'wait'; readonly ms: number };

const broker = fc.constantFrom(...BROKERS);
const topic = fc.constantFrom(...TOPICS);
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('crash', 'restart', 'restart', 'stop', 'expire', 'disconnect', 'reconnect', 'mute', 'unmute'),
    id: broker,
  }),
  fc.record({
    kind: fc.constant('create' as const),
    topic,
    replicas: fc.uniqueArray(broker, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('delete' as const), topic }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 2500 }) }),
);

/** Starts without waiting for the election: it may have to wait for ZooKeeper, or for a former session to end. */
async function restart(cluster: ControllerCluster, id: number): Promise<void> {
  await cluster.time.advance(1100);
  await cluster.startBroker(id);
}

async function perform(cluster: ControllerCluster, step: Action): Promise<void> {
  switch (step.kind) {
    case 'wait':
      return cluster.time.advance(step.ms);
    case 'create': {
      const taken = await cluster.run(Promise.all([cluster.store.topics.names(), cluster.store.deletions.list()]));
      if (!taken.flat().includes(step.topic))
        await cluster.createTopic(step.topic, [step.replicas, [...step.replicas].reverse()]);
      return;
    }
    case 'delete':
      if ((await cluster.run(cluster.store.topics.names())).includes(step.topic)) {
        await cluster.run(cluster.store.deletions.mark(step.topic));
      }
      return;
    default: {
      const stub = cluster.broker(step.id);
      if (step.kind === 'restart') {
        if (!stub.running) await restart(cluster, step.id);
      } else if (!stub.running) return;
      else if (step.kind === 'mute' || step.kind === 'unmute') stub.mute = step.kind === 'mute';
      else if (step.kind === 'stop') await cluster.run(stub.stop());
      else if (step.kind === 'crash') stub.crash();
      else stub.zooKeeper[step.kind]();
    }
  }
}

/** What must never happen to a partition's state, from one look to the next. */
function checkProgress(before: LeaderAndIsr | undefined, now: LeaderAndIsr): void {
  expect(now.isr.length).toBeGreaterThan(0);
  if (now.leader !== -1) expect(now.isr).toContain(now.leader);
  if (before === undefined) return;
  expect(now.leaderEpoch).toBeGreaterThanOrEqual(before.leaderEpoch);
  expect(now.controllerEpoch).toBeGreaterThanOrEqual(before.controllerEpoch);
  if (now.leader !== before.leader) expect(now.leaderEpoch).toBeGreaterThan(before.leaderEpoch);
  // Nobody proposes ISRs here, so they only shrink: whoever leads has everything.
  expect(now.isr.every(replica => before.isr.includes(replica))).toBe(true);
}

class Watchman {
  readonly #cluster: ControllerCluster;
  #seen = new Map<string, LeaderAndIsr>();

  constructor(cluster: ControllerCluster) {
    this.#cluster = cluster;
  }

  async look(): Promise<void> {
    const states = await this.#cluster.run(this.states());
    for (const [key, state] of states) checkProgress(this.#seen.get(key), state);
    this.#seen = states;
  }

  /** By topic id and partition, so that a topic made anew is another one. */
  async states(): Promise<Map<string, LeaderAndIsr>> {
    const { store } = this.#cluster;
    const topics = await store.topics.getMany(TOPICS);
    const found = new Map<string, LeaderAndIsr>();
    for (const [name, { topicId, partitions }] of topics) {
      for (const number of partitions.keys()) {
        const state = (await store.partitions.states([{ topic: name, partition: number }])).get(
          partitionKey(name, number),
        );
        if (state !== undefined) found.set(`${topicId}-${number}`, state);
      }
    }
    return found;
  }
}

/** All brokers run and are reachable: within some time every partition has a leader, and everybody says the same. */
async function expectConvergence(cluster: ControllerCluster): Promise<void> {
  for (const id of BROKERS) {
    cluster.broker(id).mute = false;
    if (cluster.broker(id).running) cluster.broker(id).zooKeeper.reconnect();
  }
  for (const id of BROKERS) if (!cluster.broker(id).running) await restart(cluster, id);
  await cluster.until(
    'one controller',
    () => BROKERS.filter(id => cluster.broker(id).controller.isActive).length === 1,
  );
  await cluster.until('deletions are done', async () => (await cluster.store.deletions.list()).length === 0);
  await cluster.until('brokers say what ZooKeeper says', () => agree(cluster));
}

async function agree(cluster: ControllerCluster): Promise<boolean> {
  const { store } = cluster;
  const topics = await store.topics.getMany(TOPICS);
  const isKnown = (key: string) => [...topics.keys()].some(name => key.startsWith(`${name}-`));
  if (!BROKERS.every(id => [...cluster.broker(id).metadata.keys()].every(isKnown))) return false;
  for (const [name, { partitions }] of topics) {
    for (const [number, { replicas }] of partitions) {
      const key = partitionKey(name, number);
      const state = (await store.partitions.states([{ topic: name, partition: number }])).get(key);
      if (state === undefined || state.leader === -1) return false;
      for (const id of BROKERS) {
        if (cluster.broker(id).metadata.get(key)?.leader !== state.leader) return false;
        const replica = cluster.broker(id).replicas.get(key);
        if (replicas.includes(id) && replica?.leaderEpoch !== state.leaderEpoch) return false;
      }
    }
  }
  return true;
}

test('brokers crash, hang and lose sessions while topics come and go: order returns when they do', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 30 }), async actions => {
      const cluster = await ControllerCluster.start(BROKERS);
      const watchman = new Watchman(cluster);
      for (const step of actions) {
        await perform(cluster, step);
        await watchman.look();
      }
      await expectConvergence(cluster);
      await watchman.look();
    }),
    chaosRuns(60),
  );
});
