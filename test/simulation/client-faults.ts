import type { Random } from '../../shared/runtime/random.ts';
import type { Cast } from './cast.ts';
import type { Member } from './team.ts';
import type { Teller } from './tellers.ts';

/** What it takes to inflict something that passes. */
export interface FaultMeans {
  /** Undoes a fault after a while (milliseconds), or when everything heals. */
  later(atMost: number, undo: () => void): void;
  /** Cuts a client off from one of the brokers for a while. */
  cutOff(name: string): void;
}

/** What goes wrong with the programs that use the cluster. Each says whether it had a place just now. */
export class ClientFaults {
  readonly #cast: Cast;
  readonly #random: Random;
  readonly #means: FaultMeans;

  constructor(cast: Cast, random: Random, means: FaultMeans) {
    this.#cast = cast;
    this.#random = random;
    this.#means = means;
  }

  #member(): Member | null {
    const { members } = this.#cast.team;
    const member = members[this.#random.int(members.length)]!;
    return member.life === null || member.life.isFrozen ? null : member;
  }

  killMember(): boolean {
    const member = this.#member();
    if (member === null) return false;
    member.kill();
    this.#means.later(12_000, () => member.start());
    return true;
  }

  freezeMember(): boolean {
    const member = this.#member();
    if (member === null) return false;
    const life = member.life!;
    this.#cast.world.note(`${member.name} freezes`);
    life.freeze();
    this.#means.later(12_000, () => {
      this.#cast.world.note(`${member.name} thaws`);
      life.thaw();
    });
    return true;
  }

  letMemberLeave(): boolean {
    const member = this.#member();
    if (member === null) return false;
    member.leave();
    this.#means.later(8_000, () => {
      member.kill();
      member.start();
    });
    return true;
  }

  cutMember(): boolean {
    const member = this.#member();
    if (member === null) return false;
    this.#means.cutOff(member.name);
    return true;
  }

  #teller(): Teller {
    const { tellers } = this.#cast.tellers;
    return tellers[this.#random.int(tellers.length)]!;
  }

  killTeller(): boolean {
    const teller = this.#teller();
    const life = teller.running;
    if (life === null) return false;
    teller.kill(life);
    this.#means.later(6_000, () => teller.start());
    return true;
  }

  /** A copy stops for so long that another one takes its place, and then goes on as if nothing had happened. */
  makeZombie(): boolean {
    const teller = this.#teller();
    const life = teller.running;
    if (life === null) return false;
    this.#cast.world.note(`${teller.name} freezes`);
    life.freeze();
    this.#means.later(4_000, () => teller.start());
    this.#means.later(12_000, () => {
      this.#cast.world.note(`the former ${teller.name} thaws`);
      life.thaw();
    });
    return true;
  }

  cutTeller(): boolean {
    this.#means.cutOff(this.#teller().name);
    return true;
  }
}
