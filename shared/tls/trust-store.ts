import { parseCertificate } from './key-store.ts';
import { certificatesIn, pemBlocks, toPem } from './pem.ts';
import { unusable, type TlsKey, type TlsSource } from './settings.ts';
import { readStoreFile } from './store-file.ts';

/**
 * The certificates that the settings say to trust, as PEM; null when they say nothing, which means the usual authorities.
 * @throws ConfigError
 */
export function readTrustStore(source: TlsSource): string[] | null {
  const { values } = source;
  const location = values['ssl.truststore.location'];
  const inline = values['ssl.truststore.certificates'];
  if (inline !== null) {
    if (location !== null) throw unusable(source, 'ssl.truststore.location', 'ssl.truststore.certificates is set too');
    if (values['ssl.truststore.type'] !== 'PEM') {
      throw unusable(source, 'ssl.truststore.type', 'ssl.truststore.certificates can only be PEM');
    }
    return fromPem(source, 'ssl.truststore.certificates', inline);
  }
  if (location === null) return null;
  const file = readStoreFile(source, 'truststore', location);
  if ('pem' in file) return fromPem(source, 'ssl.truststore.location', file.pem);
  const trusted = file.pkcs12.certificates.filter(({ isTrusted }) => isTrusted);
  return checked(
    source,
    'ssl.truststore.location',
    trusted.map(({ der }) => toPem('CERTIFICATE', der)),
  );
}

function fromPem(source: TlsSource, key: TlsKey, text: string): string[] {
  return checked(
    source,
    key,
    certificatesIn(pemBlocks(text)).map(block => block.text),
  );
}

function checked(source: TlsSource, key: TlsKey, certificates: string[]): string[] {
  if (certificates.length === 0) throw unusable(source, key, 'there is no certificate to trust in it');
  for (const certificate of certificates) parseCertificate(source, key, certificate);
  return certificates;
}
