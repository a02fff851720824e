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
  /** By partition and offset, what a reader got. */
  readonly #seen = new Map<string, Map<number, string>>();

  acknowledged(record: AcknowledgedRecord): void {
    this.promises.push(record);
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
    const promises = this.promises.filter(each => each.key === key);
    const problems = disorder(promises);
    const compare = (what: string, offset: number, value: string) => {
      const actual = log.get(offset);
      if (actual !== value)
        problems.push(
          `${key}: ${what} "${short(value)}" at ${offset}; there is ${actual === undefined ? 'nothing' : `"${short(actual)}"`} now`,
        );
    };
    for (const { offset, value } of promises) compare('acknowledged was', offset, value);
    for (const [offset, value] of this.#seen.get(key) ?? []) compare('a reader got', offset, value);
    return [...problems, ...repetitions(key, log)];
  }
}

/**
 * Records lie in the order in which they were sent. They need not be acknowledged in it: of two batches on the way, the
 * first may have to be sent again while the second gets its answer.
 */
function disorder(promises: readonly AcknowledgedRecord[]): string[] {
  const sent = [...promises].sort((a, b) => a.sequence - b.sequence);
  return sent.flatMap(({ key, sequence, offset }, index) => {
    const before = sent[index - 1];
    if (before === undefined || before.offset < offset) return [];
    return [`${key}: record ${before.sequence} is at ${before.offset}, ${sequence} at ${offset}`];
  });
}

/** What the idempotent writer (`all`) has sent is there once and in order, acknowledged or not. */
function repetitions(key: string, log: ReadonlyMap<number, string>): string[] {
  const problems: string[] = [];
  let last = -1;
  for (const [offset, value] of log) {
    const [sequence, writer] = value.split(' ', 2);
    if (writer !== 'all') continue;
    if (Number(sequence) <= last) problems.push(`${key}: record ${sequence} at ${offset} comes behind ${last}`);
    last = Math.max(last, Number(sequence));
  }
  return problems;
}

function short(value: string): string {
  return value.split(' ', 2).join(' ');
}
