import { UsageError } from '../support/tool.ts';

/** What one line of input says. */
export interface LineRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[] | undefined;
}

/** A line that is not what the reader's properties promise. */
export class LineError extends Error {
  override readonly name = 'LineError';
}

interface Settings {
  readonly parseKey: boolean;
  readonly keySeparator: string;
  readonly parseHeaders: boolean;
  readonly headersDelimiter: string;
  readonly headersSeparator: string;
  readonly headersKeySeparator: string;
  readonly ignoreError: boolean;
  readonly nullMarker: string | null;
}

/**
 * Turns lines into records by the reader properties `parse.key`, `key.separator`, `parse.headers`, … (Kafka:
 * `LineMessageReader`). Works on bytes: what is not UTF-8 arrives as it is.
 */
export class LineReader {
  readonly #settings: Settings;
  readonly #keySeparator: Buffer;
  readonly #headersDelimiter: Buffer;
  readonly #headersSeparator: RegExp;
  readonly #nullMarker: Buffer | null;
  #lineNumber = 0;

  /** @throws UsageError when two separators are the same, or one is no regular expression */
  constructor(properties: Readonly<Record<string, string>>) {
    const settings = settingsOf(properties);
    checkDistinct(settings);
    this.#settings = settings;
    this.#keySeparator = Buffer.from(settings.keySeparator);
    this.#headersDelimiter = Buffer.from(settings.headersDelimiter);
    this.#headersSeparator = regularExpression(settings.headersSeparator);
    this.#nullMarker = settings.nullMarker === null ? null : Buffer.from(settings.nullMarker);
  }

  /** Whether every line is a value and nothing else. */
  get isPlain(): boolean {
    const { parseKey, parseHeaders } = this.#settings;
    return !parseKey && !parseHeaders && this.#nullMarker === null;
  }

  /** @throws LineError naming the line's number, unless `ignore.error` */
  read(line: Buffer): LineRecord {
    this.#lineNumber++;
    const { parseKey, parseHeaders } = this.#settings;
    let start = 0;
    let headers: LineRecord['headers'];
    if (parseHeaders) {
      const end = this.#find(line, start, this.#headersDelimiter, 'headers delimiter');
      if (end !== -1) {
        headers = this.#headers(line.subarray(start, end));
        start = end + this.#headersDelimiter.length;
      }
    }
    let key: Buffer | null = null;
    if (parseKey) {
      const end = this.#find(line, start, this.#keySeparator, 'key separator');
      if (end !== -1) {
        key = this.#orNull(line.subarray(start, end));
        start = end + this.#keySeparator.length;
      }
    }
    return { key, value: this.#orNull(line.subarray(start)), headers };
  }

  #find(line: Buffer, start: number, separator: Buffer, name: string): number {
    const at = line.indexOf(separator, start);
    if (at === -1 && !this.#settings.ignoreError) {
      throw new LineError(`No ${name} found on line number ${this.#lineNumber}: '${line.toString()}'`);
    }
    return at;
  }

  #orNull(bytes: Buffer): Buffer | null {
    return this.#nullMarker?.equals(bytes) === true ? null : bytes;
  }

  #headers(text: Buffer): LineRecord['headers'] {
    if (this.#orNull(text) === null) return undefined;
    return text
      .toString()
      .split(this.#headersSeparator)
      .map(pair => this.#header(pair));
  }

  #header(pair: string): { key: string; value: Buffer | null } {
    const { headersKeySeparator, nullMarker, ignoreError } = this.#settings;
    const at = pair.indexOf(headersKeySeparator);
    if (at === -1) {
      if (ignoreError) return { key: pair, value: null };
      throw new LineError(`No header key separator found in pair '${pair}' on line number ${this.#lineNumber}`);
    }
    const key = pair.slice(0, at);
    if (key === nullMarker) {
      throw new LineError(
        `Header keys should not be equal to the null marker '${key}' as they can't be null (line ${this.#lineNumber})`,
      );
    }
    return { key, value: this.#orNull(Buffer.from(pair.slice(at + headersKeySeparator.length))) };
  }
}

function settingsOf(properties: Readonly<Record<string, string>>): Settings {
  const isTrue = (name: string) => properties[name]?.trim().toLowerCase() === 'true';
  return {
    parseKey: isTrue('parse.key'),
    keySeparator: properties['key.separator'] ?? '\t',
    parseHeaders: isTrue('parse.headers'),
    headersDelimiter: properties['headers.delimiter'] ?? '\t',
    headersSeparator: properties['headers.separator'] ?? ',',
    headersKeySeparator: properties['headers.key.separator'] ?? ':',
    ignoreError: isTrue('ignore.error'),
    nullMarker: properties['null.marker'] ?? null,
  };
}

/** Those within headers must differ, and a null marker from all. The key's may be one of the headers': it comes behind them. */
function checkDistinct(settings: Settings): void {
  const ofHeaders: [string, string | null][] = [
    ['headers.delimiter', settings.headersDelimiter],
    ['headers.separator', settings.headersSeparator],
    ['headers.key.separator', settings.headersKeySeparator],
  ];
  const all: [string, string | null][] = [...ofHeaders, ['key.separator', settings.keySeparator]];
  for (const [name, value] of all) if (value === '') throw new UsageError(`${name} may not be empty`);
  const marker = all.map(other => [['null.marker', settings.nullMarker], other] as const);
  const pairs = ofHeaders.flatMap((a, index) => ofHeaders.slice(index + 1).map(b => [a, b] as const));
  for (const [[nameA, a], [nameB, b]] of [...pairs, ...marker]) {
    if (a === b) throw new UsageError(`${nameA} and ${nameB} may not be equal`);
  }
}

function regularExpression(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new UsageError(`headers.separator is a regular expression, which '${source}' is not`);
  }
}
