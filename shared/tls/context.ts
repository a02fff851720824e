import type { SecureContextOptions } from 'node:tls';
import { cipherSuite } from './cipher-suites.ts';
import { readKeyStore, type KeyStore } from './key-store.ts';
import { unusable, type TlsSource } from './settings.ts';
import { readTrustStore } from './trust-store.ts';

type Version = NonNullable<SecureContextOptions['minVersion']>;

const VERSIONS: readonly Version[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

export interface ContextOptions extends SecureContextOptions {
  /** Any certificate of the trust store ends a chain, as in Java, not only one that is signed by itself. */
  readonly allowPartialTrustChain?: boolean;
}

/** What a connection is secured with: what Node's TLS takes, and the key store it comes from. */
export interface Terms {
  readonly options: ContextOptions;
  readonly keyStore: KeyStore | null;
}

/**
 * Reads what the settings name.
 * @param now milliseconds since 1970
 * @throws ConfigError
 */
export function readTerms(source: TlsSource, now: number): Terms {
  const keyStore = readKeyStore(source, now);
  const trusted = readTrustStore(source);
  const identity =
    keyStore === null
      ? {}
      : { key: keyStore.key.export({ type: 'pkcs8', format: 'pem' }) as string, cert: keyStore.chain };
  const trust = trusted === null ? {} : { ca: trusted, allowPartialTrustChain: true };
  return { options: { ...identity, ...trust, ...versionRange(source), ...suites(source) }, keyStore };
}

/** Node takes a range, so what is enabled has to be one. */
function versionRange(source: TlsSource): Pick<SecureContextOptions, 'minVersion' | 'maxVersion'> {
  const enabled = source.values['ssl.enabled.protocols'];
  const indices = enabled.map(name => VERSIONS.indexOf(name as Version)).sort((a, b) => a - b);
  const [first] = indices;
  const last = indices.at(-1);
  if (first === undefined || first < 0) {
    throw unusable(source, 'ssl.enabled.protocols', `it takes a list of ${VERSIONS.join(', ')}`);
  }
  if (last! - first >= new Set(indices).size) {
    throw unusable(source, 'ssl.enabled.protocols', 'the versions in it must follow one another');
  }
  return { minVersion: VERSIONS[first]!, maxVersion: VERSIONS[last!]! };
}

function suites(source: TlsSource): Pick<SecureContextOptions, 'ciphers'> {
  const names = source.values['ssl.cipher.suites'];
  if (names.length === 0) return {};
  const ciphers = names.map(name => {
    const cipher = cipherSuite(name);
    if (cipher === null) throw unusable(source, 'ssl.cipher.suites', `there is no cipher suite ${name} here`);
    return cipher;
  });
  return { ciphers: ciphers.join(':') };
}
