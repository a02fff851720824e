/** What a znode holds is not what its readers can work with. */
export class MalformedZnodeError extends Error {
  override readonly name = 'MalformedZnodeError';
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`znode ${path}: ${problem}`);
    this.path = path;
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** The data as a JSON object; null when there is none or it is something else. Unknown keys are for others to know. */
export function parseObject(data: Buffer | null): JsonObject | null {
  if (data === null) return null;
  try {
    return asObject(JSON.parse(data.toString('utf8')));
  } catch {
    return null;
  }
}

/** Like `parseObject`, but throws MalformedZnodeError naming the path. */
export function requireObject(path: string, data: Buffer | null): JsonObject {
  const object = parseObject(data);
  if (object === null) throw new MalformedZnodeError(path, 'expected a JSON object');
  return object;
}

export function encodeJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

export function asObject(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

export function asInteger(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) ? value : null;
}

/** An array of integers, or null when it is anything else. */
export function asIntegers(value: unknown): number[] | null {
  if (!Array.isArray(value)) return null;
  return value.every(item => Number.isInteger(item)) ? (value as number[]) : null;
}

/** Entries of a JSON object whose keys are non-negative integers; others are left out. */
export function integerEntries(value: unknown): [number, unknown][] {
  const entries = Object.entries(asObject(value) ?? {});
  return entries.filter(([key]) => /^\d+$/.test(key)).map(([key, item]) => [Number(key), item]);
}

/** A value from JSON as text, whatever it is: `String` would call a `toString` that the JSON itself may hold. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? '' : JSON.stringify(value);
}
