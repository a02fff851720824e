import { readFileSync } from 'node:fs';
import { readPkcs12, Pkcs12Error, type Pkcs12Contents } from './pkcs12.ts';
import { missing, unusable, type TlsSource } from './settings.ts';

/** The two kinds of stores, which have the same keys but for one word. */
export type StoreRole = 'keystore' | 'truststore';

type StoreFormat = 'PEM' | 'PKCS12' | 'JKS' | 'unknown';

const JAVA_STORES: readonly number[] = [0xfeedfeed, 0xcececece];
const SEQUENCE = 0x30;

/** What is in a store's file: the text of a PEM one, the entries of a PKCS#12 one. */
export type StoreFile = { readonly pem: string } | { readonly pkcs12: Pkcs12Contents };

/**
 * Reads the file that `ssl.<role>.location` names. What it is, its first bytes say: `JKS`, the default of `ssl.<role>.type`,
 * stands in Java for PKCS#12 too, which is what its keytool has written by default since Java 9.
 * @throws ConfigError naming key and file
 */
export function readStoreFile(source: TlsSource, role: StoreRole, location: string): StoreFile {
  const bytes = readBytes(source, role, location);
  const format = formatOf(bytes);
  const wantsPem = source.values[`ssl.${role}.type`] === 'PEM';
  if (format === 'JKS') throw unusable(source, `ssl.${role}.location`, jksAdvice(location));
  if (format === 'unknown')
    throw unusable(source, `ssl.${role}.location`, `it is neither a PKCS#12 store nor PEM text`);
  if (wantsPem !== (format === 'PEM')) {
    throw unusable(source, `ssl.${role}.type`, `${location} is ${format === 'PEM' ? 'PEM text' : 'a PKCS12 store'}`);
  }
  if (format === 'PKCS12') return { pkcs12: readEntries(source, role, location, bytes) };
  if (source.values[`ssl.${role}.password`] !== null) {
    throw unusable(source, `ssl.${role}.password`, `${location} is PEM text, which has no password of its own`);
  }
  return { pem: bytes.toString('utf8') };
}

function readBytes(source: TlsSource, role: StoreRole, location: string): Buffer {
  try {
    return readFileSync(location);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${message})`;
    throw unusable(source, `ssl.${role}.location`, why);
  }
}

function formatOf(bytes: Buffer): StoreFormat {
  if (bytes.length >= 4 && JAVA_STORES.includes(bytes.readUInt32BE(0))) return 'JKS';
  if (bytes[0] === SEQUENCE) return 'PKCS12';
  return bytes.includes('-----BEGIN ') ? 'PEM' : 'unknown';
}

function jksAdvice(location: string): string {
  const target = `${location.replace(/\.(jks|jceks|keystore|truststore)$/, '')}.p12`;
  return (
    'it is a JKS store, which only Java reads; convert it by ' +
    `"keytool -importkeystore -srckeystore ${location} -destkeystore ${target} -deststoretype PKCS12" and name ${target} here`
  );
}

function readEntries(source: TlsSource, role: StoreRole, location: string, bytes: Buffer): Pkcs12Contents {
  const password = source.values[`ssl.${role}.password`];
  try {
    return readPkcs12(bytes, password);
  } catch (error) {
    if (!(error instanceof Pkcs12Error)) throw error;
    if (!error.isPassword) throw unusable(source, `ssl.${role}.location`, `it ${error.message}`);
    if (password === null) throw missing(source, `ssl.${role}.password`, `${location} cannot be opened without`);
    throw unusable(source, `ssl.${role}.password`, `it does not open ${location}`);
  }
}
