import type { Random } from '../../shared/runtime/random.ts';
import { seededRandom } from '../support/seeded-random.ts';

/** Choices drawn from one seed: the same seed makes the same choices. */
export class Chance {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** One draw of many: conversation `number` of a run has choices of its own, whatever came before it. */
  static of(seed: number, number: number): Chance {
    return new Chance(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35));
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.#random.float() * (max - min + 1));
  }

  /** True once in `count` times. */
  oneIn(count: number): boolean {
    return this.#random.int(count) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.#random.int(values.length)]!;
  }

  bytes(length: number): Buffer {
    return this.#random.bytes(length);
  }

  /** `minimum` to `maximum` values of `make`. */
  several<T>(minimum: number, maximum: number, make: () => T): T[] {
    return Array.from({ length: this.integer(minimum, maximum) }, make);
  }
}
