/** What became of a transaction, as far as its producer was told: nothing was said of an open one. */
export type TransferOutcome = 'open' | 'committed' | 'aborted';

interface Transfer {
  readonly teller: string;
  readonly number: number;
  /** Values by partition. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  outcome: TransferOutcome;
}

/**
 * The transactions of producers, and whether what committed records show keeps what was promised: a transaction is there
 * in all its partitions or in none, what was said to be committed is there and what was said to be aborted is not, once
 * each, and those of one producer are in the order in which it made them.
 */
export class TransferHistory {
  /** Violations that showed while it ran. */
  readonly problems: string[] = [];
  readonly #transfers: Transfer[] = [];
  /** By partition and offset, what a reader of committed records has been shown. */
  readonly #seen = new Map<string, Map<number, string>>();

  /** A producer begins a transaction with these values by partition. Numbers rise with each of the same teller. */
  begin(teller: string, number: number, values: ReadonlyMap<string, readonly string[]>): Transfer {
    const transfer: Transfer = { teller, number, values, outcome: 'open' };
    this.#transfers.push(transfer);
    return transfer;
  }

  /** How many have had each outcome. */
  count(outcome: TransferOutcome): number {
    return this.#transfers.filter(transfer => transfer.outcome === outcome).length;
  }

  seen(key: string, offset: number, value: string): void {
    let values = this.#seen.get(key);
    if (values === undefined) this.#seen.set(key, (values = new Map()));
    const before = values.get(offset);
    if (before !== undefined && before !== value)
      this.problems.push(`${key}: a reader was shown '${before}' at ${offset}, and then '${value}'`);
    values.set(offset, value);
  }

  /** @param committed values of committed records by partition and offset, when nothing changes any more */
  check(committed: ReadonlyMap<string, ReadonlyMap<number, string>>): string[] {
    const shown = new Map(Array.from(committed, ([key, values]) => [key, [...values.values()]]));
    return [
      ...this.#transfers.flatMap(transfer => whole(transfer, shown)),
      ...Array.from(shown, ([key, values]) => [...repeated(key, values), ...this.#disordered(key, values)]).flat(),
      ...this.#falselySeen(committed),
    ];
  }

  #falselySeen(committed: ReadonlyMap<string, ReadonlyMap<number, string>>): string[] {
    return Array.from(this.#seen, ([key, values]) =>
      Array.from(values)
        .filter(([offset, value]) => committed.get(key)?.get(offset) !== value)
        .map(([offset, value]) => `${key}: a reader was shown '${value}' at ${offset}, which is not committed`),
    ).flat();
  }

  #disordered(key: string, values: readonly string[]): string[] {
    const place = new Map(values.map((value, index) => [value, index]));
    const last = new Map<string, number>();
    const problems: string[] = [];
    for (const { teller, number, values: own } of this.#transfers) {
      const at = place.get(own.get(key)?.[0] ?? '');
      if (at === undefined) continue;
      if (at < (last.get(teller) ?? -1)) problems.push(`${key}: ${teller} ${number} is shown before an earlier one`);
      last.set(teller, at);
    }
    return problems;
  }
}

function whole({ teller, number, values, outcome }: Transfer, shown: ReadonlyMap<string, readonly string[]>): string[] {
  const all = Array.from(values, ([key, own]) => own.map(value => shown.get(key)?.includes(value) === true)).flat();
  const there = all.filter(Boolean).length;
  const what = `${teller} ${number}, ${outcome}: ${there} of ${all.length} records are shown`;
  if (there !== 0 && there !== all.length) return [what];
  const isWrong = (outcome === 'committed' && there === 0) || (outcome === 'aborted' && there > 0);
  return isWrong ? [what] : [];
}

function repeated(key: string, values: readonly string[]): string[] {
  const twice = values.filter((value, index) => values.indexOf(value) !== index);
  return twice.map(value => `${key}: '${value}' is shown twice`);
}
