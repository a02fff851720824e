/** A record that its writer was told to be safe. */
export interface AcknowledgedRecord {
  /** `topic-partition`. */
  readonly key: string;
  readonly offset: number;
  /** Grows with every record that is sent. */
  readonly sequence: number;
  readonly value: string;
}

/** What clients were told: the promises that must be kept. */
export class History {
  readonly promises: AcknowledgedRecord[] = [];
  /** Violations that showed while it ran. */
  readonly problems: string[] = [];
  /** Sends that failed, as they may. */
  refused = 0;
  readonly #last = new Map<string, AcknowledgedRecord>();
  /** By partition and offset, what a reader got. */
  readonly #seen = new Map<string, Map<number, string>>();

  acknowledged(record: AcknowledgedRecord): void {
    this.promises.push(record);
    const last = this.#last.get(record.key);
    this.#last.set(record.key, record);
    if (last === undefined || (last.sequence < record.sequence && last.offset < record.offset)) return;
    this.problems.push(
      `${record.key}: record ${last.sequence} is at ${last.offset}, ${record.sequence} at ${record.offset}`,
    );
  }

  /** What has been read below the high watermark stays what it is. */
  seen(key: string, offset: number, value: string): void {
    let records = this.#seen.get(key);
    if (records === undefined) this.#seen.set(key, (records = new Map()));
    const before = records.get(offset);
    if (before !== undefined && before !== value)
      this.problems.push(`${key}: a reader got "${short(before)}" at ${offset}, and later "${short(value)}"`);
    records.set(offset, value);
  }

  get seenCount(): number {
    let count = 0;
    for (const records of this.#seen.values()) count += records.size;
    return count;
  }

  /** Compares the promises with what a partition's log has in the end, by offset. */
  check(key: string, log: ReadonlyMap<number, string>): string[] {
    const problems: string[] = [];
    const compare = (what: string, offset: number, value: string) => {
      const actual = log.get(offset);
      if (actual !== value)
        problems.push(
          `${key}: ${what} "${short(value)}" at ${offset}; there is ${actual === undefined ? 'nothing' : `"${short(actual)}"`} now`,
        );
    };
    for (const each of this.promises) if (each.key === key) compare('acknowledged was', each.offset, each.value);
    for (const [offset, value] of this.#seen.get(key) ?? []) compare('a reader got', offset, value);
    return problems;
  }
}

function short(value: string): string {
  return value.split(' ', 2).join(' ');
}
