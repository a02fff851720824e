import { ConfigError, type Origin } from '../config/config-error.ts';

/** The classic `ssl.*` keys that this build acts on, for brokers and clients alike (Kafka: `SslConfigs`). */
export interface TlsSettings {
  readonly 'ssl.keystore.type': string;
  readonly 'ssl.keystore.location': string | null;
  readonly 'ssl.keystore.password': string | null;
  readonly 'ssl.key.password': string | null;
  readonly 'ssl.keystore.key': string | null;
  readonly 'ssl.keystore.certificate.chain': string | null;
  readonly 'ssl.truststore.type': string;
  readonly 'ssl.truststore.location': string | null;
  readonly 'ssl.truststore.password': string | null;
  readonly 'ssl.truststore.certificates': string | null;
  readonly 'ssl.enabled.protocols': readonly string[];
  readonly 'ssl.cipher.suites': readonly string[];
  readonly 'ssl.endpoint.identification.algorithm': string;
}

export type TlsKey = keyof TlsSettings;

/** The settings of one side of a connection, and how to speak of them. */
export interface TlsSource {
  readonly values: TlsSettings;
  /** The setting as it was given, which may be by a longer name, and where. */
  readonly given: (key: TlsKey) => { readonly name: string; readonly origin: Origin | undefined };
}

const SECRET: ReadonlySet<TlsKey> = new Set<TlsKey>([
  'ssl.keystore.password',
  'ssl.key.password',
  'ssl.keystore.key',
  'ssl.keystore.certificate.chain',
  'ssl.truststore.password',
  'ssl.truststore.certificates',
]);

/** The error about a setting that is there and cannot be used. @param why completes "X cannot be Y: …" */
export function unusable({ values, given }: TlsSource, key: TlsKey, why: string): ConfigError {
  const { name, origin } = given(key);
  const value = values[key];
  const shown = SECRET.has(key) ? 'the hidden value' : `"${Array.isArray(value) ? value.join(',') : String(value)}"`;
  const where = origin === undefined ? '' : ` (${origin})`;
  return new ConfigError(name, `${name} cannot be ${shown}${where}: ${why}.`);
}

/** The error about a setting that is not there and has to be. @param why completes "X is missing: …" */
export function missing({ given }: TlsSource, key: TlsKey, why: string): ConfigError {
  const { name } = given(key);
  return new ConfigError(name, `${name} is missing: ${why}.`);
}
