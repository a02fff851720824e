import type { Random } from '../../shared/runtime/random.ts';
import type { SimulatedBroker } from './simulated-broker.ts';
import { ALL_PARTITIONS } from './topics.ts';
import type { Cast } from './cast.ts';
import { ClientFaults } from './client-faults.ts';
import { MEMBER_NAMES } from './team.ts';
import { TELLER_NAMES } from './tellers.ts';
import type { Workload } from './workload.ts';
import type { World } from './world.ts';

/** Milliseconds from the first fault to the last. */
const TROUBLE_MS = 30_000;
/** Milliseconds between two faults, at most. */
const PAUSE_MS = 3_500;

interface Fault {
  readonly name: string;
  readonly weight: number;
  /** Does it; false when it has no place just now. */
  inflict(trouble: Trouble): boolean;
}

/** Everything that goes wrong, and how it gets well again. */
const FAULTS: readonly Fault[] = [
  { name: 'kill', weight: 6, inflict: trouble => trouble.kill() },
  { name: 'change of guard', weight: 8, inflict: trouble => trouble.changeGuard() },
  { name: 'stop', weight: 2, inflict: trouble => trouble.stop() },
  { name: 'lose power', weight: 3, inflict: trouble => trouble.losePower() },
  { name: 'freeze', weight: 4, inflict: trouble => trouble.freeze() },
  { name: 'expire', weight: 3, inflict: trouble => trouble.expire() },
  { name: 'cut brokers', weight: 4, inflict: trouble => trouble.cutBrokers() },
  { name: 'cut off', weight: 2, inflict: trouble => trouble.cutOff() },
  { name: 'cut ZooKeeper', weight: 4, inflict: trouble => trouble.cutZooKeeper() },
  { name: 'slow', weight: 3, inflict: trouble => trouble.slow() },
  { name: 'reset', weight: 3, inflict: trouble => trouble.reset() },
  { name: 'bad write', weight: 3, inflict: trouble => trouble.badWrite() },
  { name: 'full disk', weight: 1, inflict: trouble => trouble.fullDisk() },
  { name: 'elect', weight: 3, inflict: trouble => trouble.elect() },
  { name: 'reassign', weight: 3, inflict: trouble => trouble.reassign() },
  { name: 'kill member', weight: 3, inflict: trouble => trouble.clients.killMember() },
  { name: 'freeze member', weight: 3, inflict: trouble => trouble.clients.freezeMember() },
  { name: 'member leaves', weight: 2, inflict: trouble => trouble.clients.letMemberLeave() },
  { name: 'cut member', weight: 2, inflict: trouble => trouble.clients.cutMember() },
  { name: 'kill teller', weight: 3, inflict: trouble => trouble.clients.killTeller() },
  { name: 'zombie teller', weight: 3, inflict: trouble => trouble.clients.makeZombie() },
  { name: 'cut teller', weight: 2, inflict: trouble => trouble.clients.cutTeller() },
];

/** What `--faults` may name. */
export const FAULT_NAMES: readonly string[] = FAULTS.map(({ name }) => name);

/** Inflicts faults at random, and heals all of them in the end. */
export class Trouble {
  readonly #world: World;
  readonly #workload: Workload;
  readonly clients: ClientFaults;
  readonly #random: Random;
  readonly #faults: readonly Fault[];
  readonly #cures = new Set<() => void>();
  /** Brokers whose disk fails, or will. */
  readonly #damaged = new Set<SimulatedBroker>();
  #isOver = false;

  /** @param names of the faults to choose from; all if there are none */
  constructor(cast: Cast, random: Random, names: readonly string[]) {
    this.#faults = names.length === 0 ? FAULTS : FAULTS.filter(({ name }) => names.includes(name));
    const { world, workload } = cast;
    this.#world = world;
    this.#workload = workload;
    this.clients = new ClientFaults(cast, random, {
      later: (atMost, undo) => this.#later(atMost, undo),
      cutOff: name => this.#cut(world.network.link(name, this.#broker().name)),
    });
    this.#random = random;
  }

  async run(): Promise<void> {
    const { time } = this.#world;
    const end = time.now() + TROUBLE_MS;
    while (time.now() < end) {
      await time.sleep(this.#random.int(PAUSE_MS));
      this.#world.forgetLostPower();
      const fault = this.#choose();
      if (fault.inflict(this)) this.#world.note(`fault: ${fault.name}`);
    }
  }

  #choose(): Fault {
    let at = this.#random.int(this.#faults.reduce((sum, { weight }) => sum + weight, 0));
    return this.#faults.find(({ weight }) => (at -= weight) < 0)!;
  }

  heal(): void {
    this.#world.note('everything heals');
    this.#isOver = true;
    for (const cure of [...this.#cures]) cure();
  }

  /** Undoes a fault after a while (milliseconds), or when everything heals. */
  #later(atMost: number, undo: () => void, atLeast = 50): void {
    const cure = () => {
      if (this.#cures.delete(cure)) undo();
    };
    this.#cures.add(cure);
    this.#world.time.after(atLeast + this.#random.int(atMost), cure);
  }

  #broker(): SimulatedBroker {
    return this.#world.brokers[this.#random.int(this.#world.brokers.length)]!;
  }

  /** A broker that may fail now: while what a loss of power took is still counted on, no other broker may. */
  #victim(): SimulatedBroker | null {
    const broker = this.#broker();
    return this.#isFragile || !broker.isUp || broker.life!.isFrozen ? null : broker;
  }

  get #isFragile(): boolean {
    return this.#world.brokers.some(other => other.lostPower);
  }

  kill(): boolean {
    const broker = this.#victim();
    if (broker === null) return false;
    this.#killFor(broker, 12_000);
    return true;
  }

  /**
   * A leader dies while a follower comes back: the controller has put the follower into the in-sync set, the leader has not
   * heard of it yet, and just then they are cut off from each other. What the leader acknowledges in that moment must be
   * in the follower, which may be the next leader.
   */
  changeGuard(): boolean {
    const { network, time, brokers } = this.#world;
    const { topic, partition } = ALL_PARTITIONS[this.#random.int(ALL_PARTITIONS.length)]!;
    const state = () => this.#world.partitionState(topic, partition);
    const leader = brokers.find(({ id }) => id === state()?.leader);
    const controller = brokers.find(({ id }) => id === this.#world.controllerId);
    const follower = this.#victim();
    if (leader === undefined || leader === controller || follower === null) return false;
    if (follower === leader || follower === controller) return false;
    follower.kill();
    const isInSync = () => state()?.isr.includes(follower.id) === true && state()?.leader === leader.id;
    this.#when(
      () => state()?.isr.includes(follower.id) === false,
      () => {
        if (controller !== undefined)
          this.#later(4_000, network.slow(network.route(leader.name, controller.name), 3_000), 8_000);
        follower.start();
        this.#when(isInSync, () => {
          this.#world.note(`${follower.name} is in sync again, and ${leader.name} does not know`);
          this.#cut(network.link(leader.name, follower.name));
          time.after(500 + this.#random.int(1_500), () => this.#killFor(leader, 12_000));
        });
      },
    );
    return true;
  }

  /** Calls back when it is so; never, when it does not come about within ten seconds. */
  #when(isSo: () => boolean, callback: () => void): void {
    const { time } = this.#world;
    const end = time.now() + 10_000;
    const watch = time.every(20, () => {
      const isDone = isSo();
      if (!isDone && !this.#isOver && time.now() < end) return;
      watch.cancel();
      if (isDone && !this.#isOver) callback();
    });
  }

  #killFor(broker: SimulatedBroker, atMost: number): void {
    if (this.#isOver || this.#isFragile || !broker.isUp) return;
    broker.kill();
    this.#later(atMost, () => broker.start());
  }

  stop(): boolean {
    const broker = this.#victim();
    if (broker === null) return false;
    void broker.stop();
    this.#later(12_000, () => {
      broker.kill();
      broker.start();
    });
    return true;
  }

  /**
   * Kafka keeps what is acknowledged on several machines, not on disk: losing the memory of one is survived when the
   * others stand, and once the controller has taken it out of the in-sync sets. So nobody else fails until then, and the
   * one that lost power does not come back before.
   */
  losePower(): boolean {
    const { brokers, network } = this.#world;
    const broker = this.#victim();
    const isWell = brokers.every(each => this.#world.isRegistered(each) && !this.#damaged.has(each));
    const isCut = brokers.some(
      a =>
        network.isCut(this.#world.zooKeeperLink(a)) || brokers.some(b => network.isCut(network.link(a.name, b.name))),
    );
    if (broker === null || !isWell || isCut || this.#isLastInSync(broker)) return false;
    broker.losePower();
    const startWhenForgotten = () => {
      this.#world.forgetLostPower();
      if (broker.lostPower) this.#later(2_000, startWhenForgotten);
      else broker.start();
    };
    this.#later(4_000, startWhenForgotten);
    return true;
  }

  #isLastInSync({ id }: SimulatedBroker): boolean {
    return ALL_PARTITIONS.some(each => {
      const isr = this.#world.partitionState(each.topic, each.partition)?.isr ?? [];
      return isr.length < 2 && isr.includes(id);
    });
  }

  freeze(): boolean {
    const broker = this.#victim();
    if (broker === null) return false;
    const { life } = broker;
    broker.freeze();
    this.#later(12_000, () => {
      if (broker.life === life) broker.thaw();
    });
    return true;
  }

  expire(): boolean {
    const zk = this.#victim()?.zk ?? null;
    if (zk?.connected !== true) return false;
    zk.expire();
    return true;
  }

  #cut(link: string): void {
    this.#later(15_000, this.#world.network.cut(link));
  }

  cutBrokers(): boolean {
    const [a, b] = [this.#victim(), this.#victim()];
    if (a === null || b === null || a === b) return false;
    this.#cut(this.#world.network.link(a.name, b.name));
    return true;
  }

  cutOff(): boolean {
    const broker = this.#victim();
    if (broker === null) return false;
    const clients = ['writer', 'reader', 'careless', 'auditor', ...MEMBER_NAMES, ...TELLER_NAMES];
    const others = [...this.#world.brokers.map(({ name }) => name), ...clients];
    for (const name of others) if (name !== broker.name) this.#cut(this.#world.network.link(broker.name, name));
    return true;
  }

  cutZooKeeper(): boolean {
    const broker = this.#victim();
    if (broker === null) return false;
    this.#later(15_000, this.#world.cutZooKeeper(broker));
    return true;
  }

  slow(): boolean {
    const [a, b] = [this.#broker(), this.#broker()];
    if (a === b) return false;
    this.#later(8_000, this.#world.network.slow(this.#world.network.link(a.name, b.name), 400));
    return true;
  }

  reset(): boolean {
    const { connections } = this.#world.network;
    for (const connection of [...connections]) if (this.#random.int(3) === 0) connection.reset();
    return true;
  }

  /** A write that fails, in the middle perhaps, takes its directory offline; the other one serves on until the restart. */
  badWrite(): boolean {
    const broker = this.#victim();
    if (broker === null) return false;
    const path = new RegExp(`^/disk-${['a', 'b'][this.#random.int(2)]!}/.*\\.log$`);
    const short = this.#random.int(2) === 0;
    broker.fs.inject({ operation: 'write', path, code: 'EIO', after: this.#random.int(150), short, times: 1 });
    this.#restartLater(broker);
    return true;
  }

  fullDisk(): boolean {
    const broker = this.#victim();
    if (broker === null) return false;
    broker.fs.setCapacity(broker.fs.used + this.#random.int(2_000));
    this.#later(8_000, () => broker.fs.setCapacity(Infinity));
    this.#restartLater(broker);
    return true;
  }

  #restartLater(broker: SimulatedBroker): void {
    this.#damaged.add(broker);
    this.#later(12_000, () => {
      this.#damaged.delete(broker);
      broker.kill();
      broker.start();
    });
  }

  elect(): boolean {
    void this.#workload.electPreferred();
    return true;
  }

  /**
   * Takes a partition from one broker, or puts it on all in a new order; or gives up what is under way. While it is on two
   * brokers only, any fault stops its writers: so it comes back with the next order.
   */
  reassign(): boolean {
    const { topic, partition } = ALL_PARTITIONS[this.#random.int(ALL_PARTITIONS.length)]!;
    const target = shuffled(this.#world.brokers, this.#random).map(({ id }) => id);
    if (this.#world.isOnAll(topic, partition) && this.#random.int(2) === 0) target.pop();
    void this.#workload.reassign({ topic, partition }, this.#random.int(5) === 0 ? null : target);
    return true;
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.int(left.length), 1)[0]!);
}
