import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { certificatesIn, pemBlocks, privateKeysIn, toPem } from './pem.ts';
import { missing, unusable, type TlsKey, type TlsSource } from './settings.ts';
import { readStoreFile } from './store-file.ts';

/** Who one is: a private key, its certificate, and the certificates by which others come to trust that. */
export interface KeyStore {
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
  /** PEM: the key's certificate first. */
  readonly chain: string;
}

/** Key and certificates as found, and the setting to blame for them. */
interface Found {
  readonly key: KeyObject;
  readonly certificates: readonly X509Certificate[];
  readonly blame: TlsKey;
  readonly where: string;
}

/**
 * The key store that the settings name, in a file or inline (Kafka: `DefaultSslEngineFactory`, KIP-651); null when they
 * name none.
 * @param now milliseconds since 1970
 * @throws ConfigError: what is missing, cannot be read, does not fit together or has expired
 */
export function readKeyStore(source: TlsSource, now: number): KeyStore | null {
  const found = find(source);
  if (found === null) return null;
  const { key, certificates, blame, where } = found;
  const certificate = certificates.find(candidate => candidate.checkPrivateKey(key));
  if (certificate === undefined) {
    throw unusable(source, blame, `the private key ${where} belongs to none of the certificates beside it`);
  }
  checkValidity(source, blame, certificate, where, now);
  const chain = [certificate, ...certificates.filter(other => other !== certificate)];
  return { key, certificate, chain: chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join('') };
}

function find(source: TlsSource): Found | null {
  const { values } = source;
  const location = values['ssl.keystore.location'];
  if (values['ssl.keystore.key'] !== null || values['ssl.keystore.certificate.chain'] !== null) {
    if (location !== null) {
      throw unusable(
        source,
        'ssl.keystore.location',
        'ssl.keystore.key and ssl.keystore.certificate.chain are set too',
      );
    }
    return inline(source);
  }
  if (location === null) return null;
  const file = readStoreFile(source, 'keystore', location);
  if ('pem' in file) return fromPem(source, file.pem, file.pem, 'ssl.keystore.location', `in ${location}`);
  const [key] = file.pkcs12.keys;
  if (key === undefined) throw unusable(source, 'ssl.keystore.location', 'there is no private key in it');
  const certificates = file.pkcs12.certificates.map(({ der }) => new X509Certificate(der));
  return { key, certificates, blame: 'ssl.keystore.location', where: `in ${location}` };
}

function inline(source: TlsSource): Found {
  const { values } = source;
  const key = values['ssl.keystore.key'];
  const chain = values['ssl.keystore.certificate.chain'];
  if (key === null)
    throw missing(source, 'ssl.keystore.key', 'ssl.keystore.certificate.chain is set, and needs its key');
  if (chain === null) {
    throw missing(source, 'ssl.keystore.certificate.chain', 'ssl.keystore.key is set, and needs its certificate');
  }
  if (values['ssl.keystore.type'] !== 'PEM') {
    throw unusable(source, 'ssl.keystore.type', 'ssl.keystore.key can only be PEM');
  }
  return fromPem(source, key, chain, 'ssl.keystore.key', 'in it');
}

function fromPem(source: TlsSource, keyText: string, chainText: string, blame: TlsKey, where: string): Found {
  const [keyBlock] = privateKeysIn(pemBlocks(keyText));
  if (keyBlock === undefined) throw unusable(source, blame, 'there is no private key in it');
  const blocks = certificatesIn(pemBlocks(chainText));
  const chainKey: TlsKey = blame === 'ssl.keystore.key' ? 'ssl.keystore.certificate.chain' : blame;
  if (blocks.length === 0) throw unusable(source, chainKey, 'there is no certificate in it');
  const certificates = blocks.map(({ text }) => parseCertificate(source, chainKey, text));
  return { key: parseKey(source, keyBlock.text, blame, where), certificates, blame, where };
}

function parseKey(source: TlsSource, text: string, blame: TlsKey, where: string): KeyObject {
  const passphrase = source.values['ssl.key.password'];
  const isEncrypted = text.includes('ENCRYPTED');
  if (isEncrypted && passphrase === null) {
    throw missing(
      source,
      'ssl.key.password',
      `the private key ${where.replace('in it', 'in ssl.keystore.key')} is encrypted`,
    );
  }
  try {
    return createPrivateKey({ key: text, ...(passphrase === null ? {} : { passphrase }) });
  } catch {
    if (!isEncrypted) throw unusable(source, blame, 'the private key in it cannot be read');
    const store = where.replace('in it', 'in ssl.keystore.key');
    throw unusable(source, 'ssl.key.password', `it does not open the private key ${store}`);
  }
}

/** @throws ConfigError blaming `key` */
export function parseCertificate(source: TlsSource, key: TlsKey, certificate: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch {
    throw unusable(source, key, 'a certificate in it cannot be read');
  }
}

function checkValidity(
  source: TlsSource,
  key: TlsKey,
  { subject, validFrom, validTo }: X509Certificate,
  where: string,
  now: number,
): void {
  const name = subject.replaceAll('\n', ', ');
  if (now > Date.parse(validTo))
    throw unusable(source, key, `the certificate of ${name} ${where} expired on ${validTo}`);
  if (now < Date.parse(validFrom)) {
    throw unusable(source, key, `the certificate of ${name} ${where} is not valid before ${validFrom}`);
  }
}
