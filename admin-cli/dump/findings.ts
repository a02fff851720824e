/** What does not fit together in the files that were dumped; shown on stderr when all of them have been (Kafka: `DumpLogSegments`). */
export class Findings {
  /** Kind of finding → file → lines. */
  readonly #found = new Map<string, Map<string, string[]>>();

  /** An entry of an offset index whose batch ends with another offset. */
  indexMismatch(file: string, indexOffset: number, logOffset: number): void {
    this.#add(`Mismatches in :`, file, `  Index offset: ${indexOffset}, log offset: ${logOffset}`);
  }

  timeMismatch(file: string, indexTimestamp: number, logTimestamp: number): void {
    this.#add(
      'Found timestamp mismatch in :',
      file,
      `  Index timestamp: ${indexTimestamp}, log timestamp: ${logTimestamp}`,
    );
  }

  timeOutOfOrder(file: string, timestamp: number, previous: number): void {
    this.#add(
      'Found out of order timestamp in :',
      file,
      `  Index timestamp: ${timestamp}, Previously indexed timestamp: ${previous}`,
    );
  }

  /** @param logOffset last offset of the batch that should have it, -1 if there is none */
  indexedOffsetMissing(file: string, indexOffset: number, logOffset: number): void {
    this.#add(
      'The following indexed offsets are not found in the log of ',
      file,
      `Indexed offset: ${indexOffset}, found log offset: ${logOffset}`,
    );
  }

  notConsecutive(file: string, offset: number, next: number): void {
    this.#add('Non-consecutive offsets in ', file, `  ${offset} is followed by ${next}`);
  }

  lines(): string[] {
    return [...this.#found].flatMap(([kind, files]) =>
      [...files].flatMap(([file, lines]) => [`${kind}${file}`, ...lines]),
    );
  }

  #add(kind: string, file: string, line: string): void {
    const files = this.#found.get(kind) ?? new Map<string, string[]>();
    this.#found.set(kind, files);
    const lines = files.get(file);
    if (lines === undefined) files.set(file, [line]);
    else lines.push(line);
  }
}
