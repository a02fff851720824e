/** Where a setting came from, as an operator would look for it: `server.properties, line 7` or `--override`. */
export type Origin = string;

/** A setting that cannot be used. The message is one sentence: the key, the value, what is allowed, and where it was set. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}

/**
 * The error for a value that is not allowed.
 * @param value the text as given; pass null for a value that must not be shown (passwords)
 * @param allowed completes "it must be …"
 */
export function badValue(key: string, value: string | null, allowed: string, origin?: Origin): ConfigError {
  const shown = value === null ? 'the hidden value' : `"${value}"`;
  const where = origin === undefined ? '' : ` (${origin})`;
  return new ConfigError(key, `${key} cannot be ${shown}${where}: it must be ${allowed}.`);
}
