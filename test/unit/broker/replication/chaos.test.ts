import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { batchOf, readAll, type ReadRecord } from '../storage/support.ts';
import { type ReplicaBroker, ReplicationCluster, TOPIC } from './support.ts';
import { chaosRuns } from '../../../support/property-runs.ts';

const IDS = [1, 2, 3];
const PARTITIONS = [0, 1];
const LAG_MS = 1000;

type Step =
  | { readonly kind: 'produce'; readonly partition: number; readonly acks: number }
  | { readonly kind: 'produceOnce'; readonly partition: number }
  | { readonly kind: 'kill' | 'start' | 'cut'; readonly broker: number }
  | { readonly kind: 'move'; readonly partition: number; readonly choice: number }
  | { readonly kind: 'slowController'; readonly delayMs: number }
  | { readonly kind: 'wait'; readonly ms: number };

const partition = fc.constantFrom(...PARTITIONS);
const broker = fc.constantFrom(...IDS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('produce' as const), partition, acks: fc.constantFrom(-1, -1, 1) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('produceOnce' as const), partition }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('kill' as const, 'start' as const, 'cut' as const), broker }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), partition, choice: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('slowController' as const), delayMs: fc.constantFrom(0, 50, 3000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 3, 20, 700, 3 * LAG_MS) }),
  },
);

interface Acknowledged {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/** An idempotent producer of one partition, one batch at a time: as long as it has no answer, it sends the same one again. */
class Numbered {
  readonly partition: number;
  /** Sequence of the batch that is to be acknowledged next; all before are. */
  sequence = 0;
  offsets: number[] = [];
  #attempt = 0;

  constructor(partition: number) {
    this.partition = partition;
  }

  async send(target: ReplicaBroker, now: number): Promise<void> {
    const { partition: number, sequence } = this;
    const attempt = ++this.#attempt;
    const { life } = target;
    const records = batchOf([{ value: `numbered ${sequence}`, timestamp: now }], {
      producerId: 100 + number,
      producerEpoch: 0,
      baseSequence: sequence,
    });
    const entries = [{ topic: TOPIC, partition: number, records }];
    const request = { acks: -1, timeoutMs: 5000, entries, legacyMagicAllowed: false, origin: 'client' as const };
    const [result] = await target.replicas.append(request, () => {});
    // An answer to an attempt that was given up, or of a broker that died in between, reaches nobody.
    if (attempt !== this.#attempt || !target.lives(life) || result!.errorCode !== ErrorCode.NONE) return;
    this.offsets[sequence] = result!.baseOffset;
    this.sequence++;
  }
}

/** A controller that elects from the ISR only, and a producer that remembers what it was promised. */
class Chaos {
  readonly cluster: ReplicationCluster;
  readonly acknowledged: Acknowledged[] = [];
  readonly #pending: Promise<void>[] = [];
  readonly #numbered = PARTITIONS.map(number => new Numbered(number));
  #count = 0;

  constructor(cluster: ReplicationCluster) {
    this.cluster = cluster;
  }

  async run(each: Step): Promise<void> {
    const { cluster } = this;
    switch (each.kind) {
      case 'produce':
        this.#produce(each.partition, each.acks);
        return;
      case 'produceOnce':
        this.#produceOnce(each.partition);
        return;
      case 'kill':
        return this.#kill(each.broker);
      case 'start':
        return this.start(each.broker);
      case 'cut':
        for (const connection of [...cluster.broker(each.broker).connections]) connection.close();
        return;
      case 'move':
        return this.#move(each.partition, each.choice);
      case 'slowController':
        cluster.onProposal = request => cluster.time.sleep(each.delayMs).then(() => cluster.commit(request));
        return;
      case 'wait':
        return cluster.time.advance(each.ms);
    }
  }

  #produce(number: number, acks: number): void {
    const { leader } = this.cluster.states.get(`orders-${number}`)!;
    const target = this.cluster.brokers.get(leader);
    if (target?.isUp !== true) return;
    const value = `${this.#count++}`;
    const { life } = target;
    const answer = target
      .produce([value], { partition: number, acks, timeoutMs: 5000 })
      .then(({ errorCode, baseOffset }) => {
        // A broker that died in between answers nobody.
        if (errorCode === ErrorCode.NONE && acks === -1 && target.lives(life)) {
          this.acknowledged.push({ partition: number, offset: baseOffset, value });
        }
      });
    this.#pending.push(answer);
  }

  #produceOnce(number: number): void {
    const { cluster } = this;
    const target = cluster.brokers.get(cluster.states.get(`orders-${number}`)!.leader);
    if (target?.isUp === true) this.#pending.push(this.#numbered[number]!.send(target, cluster.time.now()));
  }

  async #kill(id: number): Promise<void> {
    const target = this.cluster.broker(id);
    if (!target.isUp) return;
    await target.kill();
    for (const number of PARTITIONS) {
      const { leader, isr } = this.cluster.states.get(`orders-${number}`)!;
      const rest = isr.filter(member => member !== id);
      const alive = rest.filter(member => this.cluster.broker(member).isUp);
      // The last member of the ISR stays in it: nobody else may have all that is committed.
      const remaining = rest.length > 0 ? rest : isr;
      if (leader === id)
        await this.cluster.elect(alive[0] ?? -1, { partition: number, isr: alive.length > 0 ? alive : remaining });
    }
  }

  async start(id: number): Promise<void> {
    const { cluster } = this;
    const target = cluster.broker(id);
    if (target.isUp) return;
    await target.start();
    cluster.announce();
    for (const number of PARTITIONS) {
      const state = cluster.states.get(`orders-${number}`)!;
      if (state.leader === -1 && state.isr.includes(id)) await cluster.elect(id, { partition: number, isr: [id] });
      else await cluster.during(cluster.order(id, [{ topic: 'orders', partition: number, state }]));
    }
  }

  async #move(number: number, choice: number): Promise<void> {
    const { isr } = this.cluster.states.get(`orders-${number}`)!;
    const candidates = isr.filter(id => this.cluster.broker(id).isUp);
    const next = candidates[choice % Math.max(1, candidates.length)];
    if (next !== undefined) await this.cluster.elect(next, { partition: number });
  }

  async heal(): Promise<void> {
    const { cluster } = this;
    cluster.onProposal = null;
    for (const id of IDS) await this.start(id);
    await cluster.during(Promise.all(this.#pending));
    for (const number of PARTITIONS)
      await cluster.elect(cluster.states.get(`orders-${number}`)!.leader, { partition: number });
    const states = [...cluster.states.values()];
    await cluster.time.until('all are in sync', () => states.every(({ isr }) => isr.length === IDS.length));
    for (const number of PARTITIONS) {
      this.#produce(number, -1);
      this.#produceOnce(number);
    }
    await cluster.during(Promise.all(this.#pending));
  }

  async check(): Promise<void> {
    for (const number of PARTITIONS) {
      const logs = await Promise.all(IDS.map(id => readAll(this.cluster.broker(id).log('orders', number))));
      expect(logs[1]).toEqual(logs[0]);
      expect(logs[2]).toEqual(logs[0]);
      const promised = this.acknowledged.filter(each => each.partition === number);
      for (const { offset, value } of promised) expect(logs[0]![offset]).toEqual({ offset, value });
      expect(promised.length).toBeGreaterThan(0);
      this.#checkNumbered(this.#numbered[number]!, logs[0]!);
    }
  }

  /** Once each and in order, where it was said; and all replicas know the producer's last batch. */
  #checkNumbered({ partition: number, sequence, offsets }: Numbered, log: readonly ReadRecord[]): void {
    const found = log.filter(({ value }) => value.startsWith('numbered'));
    expect(found).toEqual(offsets.map((offset, i) => ({ offset, value: `numbered ${i}` })));
    expect(sequence).toBeGreaterThan(0);
    for (const id of IDS) {
      const [producer] = this.cluster.broker(id).log('orders', number).activeProducers();
      expect(producer).toMatchObject({ lastSequence: sequence - 1, lastOffset: offsets.at(-1) });
    }
  }
}

/** A write is under way when the only broker left is killed; it ends when that broker has been started again. */
const lateAnswer: Step[] = [
  { kind: 'kill', broker: 1 },
  { kind: 'wait', ms: 0 },
  { kind: 'kill', broker: 2 },
  { kind: 'produceOnce', partition: 0 },
  { kind: 'move', partition: 1, choice: 0 },
  { kind: 'kill', broker: 3 },
];

test('whatever happens, what was acknowledged by all stays where it is, numbered batches are there once, and the replicas agree', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async steps => {
      const cluster = await ReplicationCluster.start(IDS, { 'replica.lag.time.max.ms': String(LAG_MS) });
      for (const number of PARTITIONS) await cluster.elect(IDS[number]!, { partition: number });
      const chaos = new Chaos(cluster);
      for (const each of steps) await chaos.run(each);
      await chaos.heal();
      await chaos.check();
    }),
    { ...chaosRuns(40), examples: [[lateAnswer]] },
  );
});
