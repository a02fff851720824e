/** An order to move money, as it lies in the topic of orders. Ids count from 0. */
export interface Order {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly amount: number;
}

/** What one order does to one account: a record of the account's partition. */
export interface Booking {
  readonly id: number;
  readonly delta: number;
  /** The transaction that made it, and how many bookings that made in all accounts. */
  readonly transaction: string;
  readonly of: number;
}

/**
 * What a reader of committed records makes of the bookings. It reads the accounts one beside the other, not transaction by
 * transaction: so it keeps what it has read until it has all of a transaction, and applies that at once.
 */
export class Ledger {
  /** What must not be. */
  readonly problems: string[] = [];
  readonly #balances = new Map<number, number>();
  readonly #incomplete = new Map<string, { account: number; booking: Booking }[]>();
  /** How often each order has been applied. */
  readonly #applied = new Map<number, number>();

  get applied(): number {
    return this.#applied.size;
  }

  read(account: number, booking: Booking): void {
    const bookings = this.#incomplete.get(booking.transaction) ?? [];
    bookings.push({ account, booking });
    this.#incomplete.set(booking.transaction, bookings);
    if (bookings.length < booking.of) return;
    this.#incomplete.delete(booking.transaction);
    this.#apply(booking.transaction, bookings);
  }

  #apply(transaction: string, bookings: readonly { account: number; booking: Booking }[]): void {
    for (const { account, booking } of bookings) {
      this.#balances.set(account, (this.#balances.get(account) ?? 0) + booking.delta);
      if (booking.delta < 0) this.#applied.set(booking.id, (this.#applied.get(booking.id) ?? 0) + 1);
    }
    const sum = [...this.#balances.values()].reduce((total, balance) => total + balance, 0);
    if (sum !== 0) this.problems.push(`after transaction ${transaction} the accounts hold ${sum}, and not 0`);
  }

  /** When everything has been read. @param orders how many there were, all with an amount above 0 */
  check(orders: number): string[] {
    const ids = Array.from({ length: orders }, (_, id) => id);
    const wrong = ids.filter(id => this.#applied.get(id) !== 1);
    return [
      ...this.problems,
      ...wrong.slice(0, 20).map(id => `order ${id} was applied ${this.#applied.get(id) ?? 0} times`),
      ...Array.from(this.#incomplete.keys(), transaction => `only a part of transaction ${transaction} can be seen`),
    ];
  }
}
