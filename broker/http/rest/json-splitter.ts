import { HttpError } from '../http-error.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);
const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

type State = 'between' | 'inside' | 'in-string' | 'in-word';

/**
 * Cuts concatenated JSON texts apart as their bytes arrive, with or without space between them. It counts brackets and
 * knows strings, no more: whether a text is JSON is for the parser to say, and one that is not spoils none of the others.
 *
 *   between ──{ [──► inside ◄──"──► in-string      a text ends with its last bracket,
 *      │                                           a string at the top with its quote,
 *      └─other─► in-word                           a word before space or a bracket
 */
export class JsonSplitter {
  readonly #maxBytes: number;
  #state: State = 'between';
  #depth = 0;
  #escaped = false;
  /** What has arrived of the text that is being read, in chunks before the present one. */
  #pieces: Buffer[] = [];
  #size = 0;

  /** @param maxBytes of one text */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The texts that end in this chunk. @throws HttpError 413 when one gets too long */
  *push(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (this.#state === 'between') {
        if (SPACE.has(byte)) continue;
        start = at;
      } else if (this.#state === 'in-word' && (SPACE.has(byte) || OPENING.has(byte))) {
        yield this.#take(chunk.subarray(start, at));
        at--;
        continue;
      }
      this.#state = this.#after(byte);
      if (this.#state === 'between') yield this.#take(chunk.subarray(start, at + 1));
    }
    if (this.#state !== 'between') this.#keep(chunk.subarray(start));
  }

  /** What is left when no more comes: a text that has not ended; null when there is none. */
  end(): string | null {
    return this.#size === 0 ? null : this.#take(Buffer.alloc(0));
  }

  /** The state behind a byte that is no space between texts. */
  #after(byte: number): State {
    if (this.#state === 'in-string') {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) return this.#depth === 0 ? 'between' : 'inside';
      return 'in-string';
    }
    if (this.#state === 'in-word') return 'in-word';
    if (byte === QUOTE) return 'in-string';
    if (OPENING.has(byte)) this.#depth++;
    else if (this.#depth === 0) return 'in-word';
    else if (CLOSING.has(byte)) this.#depth--;
    return this.#depth === 0 ? 'between' : 'inside';
  }

  #keep(piece: Buffer): void {
    this.#size += piece.length;
    if (this.#size > this.#maxBytes) throw new HttpError(413, `A record has more than ${this.#maxBytes} bytes.`);
    this.#pieces.push(piece);
  }

  #take(last: Buffer): string {
    this.#keep(last);
    const text = this.#pieces.length === 1 ? last.toString() : Buffer.concat(this.#pieces).toString();
    this.#state = 'between';
    this.#depth = 0;
    this.#escaped = false;
    this.#pieces = [];
    this.#size = 0;
    return text;
  }
}

/** The JSON texts of a body, one by one, as they arrive. @throws HttpError 413 when one has more than `maxBytes` */
export async function* jsonTexts(body: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string> {
  const splitter = new JsonSplitter(maxBytes);
  for await (const chunk of body) yield* splitter.push(chunk);
  const rest = splitter.end();
  if (rest !== null) yield rest;
}
