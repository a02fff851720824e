import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAdmin, createConsumer, type Admin, type Consumer } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { waitFor } from '../support/wait.ts';

/** The SDK's consumers in a cluster of two racks: members get the partitions that they have nearby. */

const RACKS = ['east', 'west'];

let cluster: Cluster;
let admin: Admin;

beforeAll(async () => {
  cluster = await startCluster({ brokers: 2, propertiesOf: id => ({ 'broker.rack': RACKS[id]! }) });
  admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
}, 60_000);

afterAll(async () => {
  admin?.close();
  await cluster?.stop();
});

/** Polls until it is stopped. */
class Member {
  readonly #consumer: Consumer;
  readonly #loop: Promise<void>;
  #isRunning = true;

  constructor(topic: string, rack: string) {
    this.#consumer = createConsumer({
      'bootstrap.servers': cluster.bootstrap,
      'group.id': 'near',
      'client.rack': rack,
      'heartbeat.interval.ms': 200,
      'metadata.max.age.ms': 500,
    });
    this.#consumer.subscribe([topic]);
    this.#loop = this.#run();
  }

  get partitions(): string {
    return this.#consumer
      .assignment()
      .map(({ partition }) => partition)
      .sort((a, b) => a - b)
      .join();
  }

  async #run(): Promise<void> {
    while (this.#isRunning) await this.#consumer.poll(200);
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#consumer.wakeup();
    await this.#loop;
    await this.#consumer.close();
  }
}

test('members read what is in their rack, and share out again when replicas have moved to another', async () => {
  await admin.createTopics([{ name: 'placed', assignment: [[1], [0], [1], [0]] }]);
  const members = RACKS.map(rack => new Member('placed', rack));
  const shares = () => members.map(({ partitions }) => partitions);
  try {
    await waitFor('everybody to read nearby', () => shares().join(' ') === '1,3 0,2');
    const moves = [0, 1, 2, 3].map(partition => ({ topic: 'placed', partition, replicas: [partition < 2 ? 0 : 1] }));
    expect(await admin.alterPartitionReassignments(moves)).toEqual([null, null, null, null]);
    await waitFor('everybody to read nearby again', () => shares().join(' ') === '0,1 2,3');
  } finally {
    await Promise.all(members.map(member => member.stop()));
  }
});
