import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readKeyStore } from '../../../../shared/tls/key-store.ts';
import type { TlsSettings } from '../../../../shared/tls/settings.ts';
import {
  CertificateAuthority,
  keyStoreFile,
  openssl,
  opensslTime,
  STORE_PASSWORD,
} from '../../../support/certificates.ts';
import { source, temporaryDirectory } from './support.ts';

const directory = temporaryDirectory();
const root = CertificateAuthority.create(join(directory, 'root'), 'Root');
const middle = root.subordinate('Middle');
const ec = middle.issue('ec');
const rsa = middle.issue('rsa', { kind: 'rsa' });
const DAY_MS = 86_400_000;
const old = root.issue('old', { from: opensslTime(Date.now() - 9 * DAY_MS), to: opensslTime(Date.now() - DAY_MS) });

const read = (given: Partial<TlsSettings>) => readKeyStore(source(given), Date.now());
const file = (name: string, text: string) => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
const text = (path: string) => readFileSync(path, 'utf8');

/** Subjects of the chain, the key's own certificate first. */
function subjects(chain: string): string[] {
  return chain
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .map(pem => /CN=(\w+)/.exec(new X509Certificate(pem).subject)![1]!);
}

const PEM = { 'ssl.keystore.type': 'PEM' } as const;
const P12 = { 'ssl.keystore.type': 'PKCS12', 'ssl.keystore.password': STORE_PASSWORD } as const;

test('no settings, no key store', () => {
  expect(read({})).toBeNull();
});

describe('PEM', () => {
  test.each([ec, rsa])('a file with the key of $name and its chain', ({ name, pemFile }) => {
    const store = read({ ...PEM, 'ssl.keystore.location': pemFile })!;
    expect(subjects(store.chain)).toEqual([name, 'Middle']);
    expect(store.certificate.checkPrivateKey(store.key)).toBe(true);
  });

  test('inline, as a properties file gives it: with blanks, or nothing, for line breaks', () => {
    for (const between of [' ', '']) {
      const store = read({
        ...PEM,
        'ssl.keystore.key': text(ec.keyFile).replaceAll('\n', between),
        'ssl.keystore.certificate.chain': text(ec.certificateFile).replaceAll('\n', between),
      })!;
      expect(subjects(store.chain)).toEqual(['ec']);
    }
  });

  test.each([
    ['PKCS#8', ['pkcs8', '-topk8', '-v2', 'aes256', '-passout', 'pass:key-secret']],
    ['as OpenSSL did it before', ['rsa', '-traditional', '-aes128', '-passout', 'pass:key-secret']],
  ])('an encrypted key: %s', (_, args) => {
    const key = openssl(args, text(rsa.keyFile));
    const given = { ...PEM, 'ssl.keystore.location': file('encrypted.pem', key + text(rsa.certificateFile)) };
    expect(subjects(read({ ...given, 'ssl.key.password': 'key-secret' })!.chain)).toEqual(['rsa']);
    expect(() => read(given)).toThrow(
      /^ssl\.key\.password is missing: the private key in .*encrypted\.pem is encrypted\.$/,
    );
    expect(() => read({ ...given, 'ssl.key.password': 'other' })).toThrow(
      /^ssl\.key\.password cannot be the hidden value \(server\.properties, line 7\): it does not open the private key in .*encrypted\.pem\.$/,
    );
  });
});

describe('PKCS#12', () => {
  test.each([
    ['as OpenSSL writes it today', []],
    ['as OpenSSL and Java wrote it before: RC2 and 3DES', ['-legacy']],
    ['with 3DES', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES']],
    ['with AES-128', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC']],
    ['sealed by SHA-512', ['-macalg', 'sha512']],
    ['sealed by SHA-1', ['-macalg', 'sha1']],
    ['not sealed', ['-nomac']],
    ['not encrypted', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
  ])('%s', (_, args) => {
    for (const certificate of [ec, rsa]) {
      const location = keyStoreFile(join(directory, 'store.p12'), certificate, args);
      const store = read({ ...P12, 'ssl.keystore.location': location })!;
      expect(subjects(store.chain)).toEqual([certificate.name, 'Middle']);
      expect(store.certificate.checkPrivateKey(store.key)).toBe(true);
      expect(() => read({ ...P12, 'ssl.keystore.location': location, 'ssl.keystore.password': 'wrong' })).toThrow(
        /^ssl\.keystore\.password cannot be the hidden value \(server\.properties, line 7\): it does not open .*store\.p12\.$/,
      );
    }
  });

  test('a password beyond ASCII', () => {
    const location = keyStoreFile(join(directory, 'accents.p12'), ec, ['-passout', 'pass:Schlüssel']);
    expect(read({ ...P12, 'ssl.keystore.location': location, 'ssl.keystore.password': 'Schlüssel' })).not.toBeNull();
  });

  test('the default type, JKS, stands for it too', () => {
    const location = keyStoreFile(join(directory, 'server.keystore.jks'), ec);
    expect(read({ 'ssl.keystore.location': location, 'ssl.keystore.password': STORE_PASSWORD })).not.toBeNull();
  });
});

describe('what cannot be used is one sentence that names key and file', () => {
  const p12 = keyStoreFile(join(directory, 'good.p12'), ec);
  const cases: [string, Partial<TlsSettings>, string | RegExp][] = [
    [
      'no such file',
      { ...P12, 'ssl.keystore.location': '/no/such.p12' },
      'ssl.keystore.location cannot be "/no/such.p12" (server.properties, line 7): there is no such file.',
    ],
    [
      'a directory',
      { ...P12, 'ssl.keystore.location': directory },
      /^ssl\.keystore\.location .*: it cannot be read \(/,
    ],
    [
      'no password',
      { 'ssl.keystore.location': p12 },
      `ssl.keystore.password is missing: ${p12} cannot be opened without.`,
    ],
    ['a JKS store', { ...P12, 'ssl.keystore.location': file('server.jks', '\xfe\xed\xfe\xed') }, /it is neither/],
    [
      'something else',
      { ...P12, 'ssl.keystore.location': file('notes.txt', 'buy milk') },
      /notes\.txt" \(server\.properties, line 7\): it is neither a PKCS#12 store nor PEM text\.$/,
    ],
    [
      'PEM by another type',
      { ...P12, 'ssl.keystore.location': ec.pemFile },
      /^ssl\.keystore\.type cannot be "PKCS12" .*: .*store\.pem is PEM text\.$/,
    ],
    [
      'PKCS#12 by another type',
      { ...PEM, 'ssl.keystore.location': p12 },
      /^ssl\.keystore\.type cannot be "PEM" .*: .*good\.p12 is a PKCS12 store\.$/,
    ],
    [
      'a password for PEM',
      { ...PEM, 'ssl.keystore.location': ec.pemFile, 'ssl.keystore.password': 'x' },
      /^ssl\.keystore\.password .* is PEM text, which has no password of its own\.$/,
    ],
    [
      'a key that is not the certificate’s',
      { ...PEM, 'ssl.keystore.location': file('mixed.pem', text(ec.keyFile) + text(rsa.certificateFile)) },
      /^ssl\.keystore\.location .*: the private key in .*mixed\.pem belongs to none of the certificates beside it\.$/,
    ],
    [
      'an expired certificate',
      { ...PEM, 'ssl.keystore.location': old.pemFile },
      /^ssl\.keystore\.location .*: the certificate of O=Samsa, CN=old in .*old-\d-store\.pem expired on /,
    ],
    [
      'a file without key',
      { ...PEM, 'ssl.keystore.location': ec.certificateFile },
      /: there is no private key in it\.$/,
    ],
    [
      'a file without certificate',
      { ...PEM, 'ssl.keystore.location': ec.keyFile },
      /: there is no certificate in it\.$/,
    ],
    [
      'a key without chain',
      { ...PEM, 'ssl.keystore.key': text(ec.keyFile) },
      'ssl.keystore.certificate.chain is missing: ssl.keystore.key is set, and needs its certificate.',
    ],
    [
      'a file and a key',
      { ...PEM, 'ssl.keystore.key': 'x', 'ssl.keystore.location': p12 },
      /^ssl\.keystore\.location .*: ssl\.keystore\.key and ssl\.keystore\.certificate\.chain are set too\.$/,
    ],
    [
      'an inline key that is no PEM',
      { 'ssl.keystore.key': text(ec.keyFile), 'ssl.keystore.certificate.chain': text(ec.certificateFile) },
      /^ssl\.keystore\.type .*: ssl\.keystore\.key can only be PEM\.$/,
    ],
    [
      'a key that is damaged',
      {
        ...PEM,
        'ssl.keystore.key': text(ec.keyFile).replace(/\n.{9}/, '\nAAAAAAAAA'),
        'ssl.keystore.certificate.chain': text(ec.certificateFile),
      },
      /^ssl\.keystore\.key cannot be the hidden value .*: the private key in it cannot be read\.$/,
    ],
  ];
  test.each(cases)('%s', (_, given, sentence) => {
    expect(() => read(given)).toThrow(sentence);
  });

  test('a JKS store: how to convert it', () => {
    const location = join(directory, 'server.keystore.jks');
    writeFileSync(location, Buffer.from('feedfeed00000002', 'hex'));
    expect(() => read({ 'ssl.keystore.location': location, 'ssl.keystore.password': 'x' })).toThrow(
      `it is a JKS store, which only Java reads; convert it by "keytool -importkeystore -srckeystore ${location} ` +
        `-destkeystore ${directory}/server.keystore.p12 -deststoretype PKCS12"`,
    );
  });
});
