/** The types of Kafka's ConfigDef that the tables here use. */
export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password';

/** What a type's text becomes. A long is a number: beyond ±(2^53−1) it saturates. */
export interface ConfigTypeValues {
  boolean: boolean;
  string: string;
  int: number;
  short: number;
  long: number;
  double: number;
  list: readonly string[];
  class: string;
  password: string;
}

/** The largest long. It stands for "without limit" in Kafka's defaults, and is written as Java's 2^63−1. */
export const MAX_LONG = Number.MAX_SAFE_INTEGER;
/** The largest int, 2^31−1. */
export const MAX_INT = 2 ** 31 - 1;

interface TypeRules<V> {
  /** Completes "it must be …". */
  readonly noun: string;
  /** The value of a trimmed text, or undefined when the text is not of the type. */
  parse(text: string): V | undefined;
  /** The text Kafka shows for the value. */
  format(value: V): string;
}

const INT64_LIMIT = 2n ** 63n;
const DECIMAL = /^[+-]?\d+$/;
const JAVA_DOUBLE = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[dDfF]?$/;

function integer(noun: string, limit: bigint): TypeRules<number> {
  return {
    noun,
    parse(text) {
      if (!DECIMAL.test(text)) return undefined;
      const exact = BigInt(text.replace('+', ''));
      if (exact < -limit || exact >= limit) return undefined;
      return Math.max(-MAX_LONG, Math.min(MAX_LONG, Number(exact)));
    },
    format: formatInteger,
  };
}

function formatInteger(value: number): string {
  if (value >= MAX_LONG) return (INT64_LIMIT - 1n).toString();
  return value <= -MAX_LONG ? (-INT64_LIMIT).toString() : value.toString();
}

/** As Java's `Double.toString`: decimal from 10^-3 up to 10^7, else with an exponent, and always with a fraction. */
function formatDouble(value: number): string {
  const size = Math.abs(value);
  const decimal = value === 0 || (size >= 1e-3 && size < 1e7);
  const [digits = '', exponent] = (decimal ? value.toString() : value.toExponential()).split('e');
  const mantissa = digits.includes('.') ? digits : `${digits}.0`;
  return exponent === undefined ? mantissa : `${mantissa}E${Number(exponent)}`;
}

function parseBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  if (lower === 'true') return true;
  return lower === 'false' ? false : undefined;
}

const text: TypeRules<string> = { noun: 'a text', parse: value => value, format: value => value };

/** How each type is read and written (Kafka: `ConfigDef.parseType` and `convertToString`). Texts come in trimmed. */
export const TYPE_RULES: { readonly [T in ConfigType]: TypeRules<ConfigTypeValues[T]> } = {
  boolean: {
    noun: 'true or false',
    parse: parseBoolean,
    format: value => value.toString(),
  },
  string: text,
  class: text,
  password: text,
  int: integer('an integer between -2147483648 and 2147483647', 2n ** 31n),
  short: integer('an integer between -32768 and 32767', 2n ** 15n),
  long: integer('an integer of at most 64 bits', INT64_LIMIT),
  double: {
    noun: 'a number',
    parse: value => (JAVA_DOUBLE.test(value) ? parseFloat(value) : undefined),
    format: formatDouble,
  },
  list: {
    noun: 'a list with commas between its elements',
    parse: value => (value === '' ? [] : value.split(/\s*,\s*/)),
    format: value => value.join(','),
  },
};
