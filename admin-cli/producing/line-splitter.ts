const NEWLINE = 0x0a;
const RETURN = 0x0d;
const EMPTY = Buffer.alloc(0);

/**
 * Cuts chunks of input into lines, as views wherever a line lies within one chunk. `\n`, `\r\n` and `\r` end a line, as
 * for Java's BufferedReader; a `\r` is seen once the line's `\n`, or the end, has come.
 */
export class LineSplitter {
  /** Pieces of a line whose end has not come: joined once, so that a very long line is not copied again and again. */
  #pieces: Buffer[] = [];

  /** Calls `onLine` for each line that ends in this chunk. */
  push(chunk: Buffer, onLine: (line: Buffer) => void): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#emit(this.#take(chunk.subarray(start, end)), onLine);
      start = end + 1;
    }
    if (start < chunk.length) this.#pieces.push(chunk.subarray(start));
  }

  /** The input is over: what is left is the last line, if it is not empty. */
  end(onLine: (line: Buffer) => void): void {
    if (this.#pieces.length > 0) this.#emit(this.#take(EMPTY), onLine);
  }

  #take(last: Buffer): Buffer {
    if (this.#pieces.length === 0) return last;
    const line = Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    return line;
  }

  #emit(line: Buffer, onLine: (line: Buffer) => void): void {
    let start = 0;
    const end = line[line.length - 1] === RETURN ? line.length - 1 : line.length;
    for (let at = line.indexOf(RETURN); at !== -1 && at < end; at = line.indexOf(RETURN, start)) {
      onLine(line.subarray(start, at));
      start = at + 1;
    }
    onLine(line.subarray(start, end));
  }
}
