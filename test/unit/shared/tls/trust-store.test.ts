import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { readPkcs12 } from '../../../../shared/tls/pkcs12.ts';
import { readTrustStore } from '../../../../shared/tls/trust-store.ts';
import type { TlsSettings } from '../../../../shared/tls/settings.ts';
import { CertificateAuthority, keyStoreFile, STORE_PASSWORD, trustStoreFile } from '../../../support/certificates.ts';
import { source, temporaryDirectory } from './support.ts';

const directory = temporaryDirectory();
const one = CertificateAuthority.create(join(directory, 'one'), 'One');
const two = CertificateAuthority.create(join(directory, 'two'), 'Two');
const pem = (authority: CertificateAuthority) => readFileSync(authority.certificateFile, 'utf8');

const names = (given: Partial<TlsSettings>) =>
  readTrustStore(source(given))?.map(text => new X509Certificate(text).subject) ?? null;

test('nothing said: the usual authorities', () => {
  expect(names({})).toBeNull();
});

test('PEM, inline and in a file, with any number of certificates', () => {
  const text = `# ours\n${pem(one)}\nand theirs\n${pem(two)}`;
  expect(names({ 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': text })).toEqual(['CN=One', 'CN=Two']);
  expect(names({ 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': one.certificateFile })).toEqual(['CN=One']);
});

test.each([[[]], [['-legacy']]])('PKCS#12 with certificates only (%j)', args => {
  const location = trustStoreFile(join(directory, 'trust.p12'), one.certificateFile, args);
  expect(names({ 'ssl.truststore.location': location, 'ssl.truststore.password': STORE_PASSWORD })).toEqual(['CN=One']);
});

test("keytool's: what it marks as trusted, and the certificate of the key beside it", () => {
  const location = join(import.meta.dirname, '../../../fixtures/tls/keytool.p12');
  const found = names({ 'ssl.truststore.location': location, 'ssl.truststore.password': 'secret' });
  expect(found?.sort()).toEqual(['CN=Authority', 'CN=Own']);
  expect(readPkcs12(readFileSync(location), 'secret').keys).toHaveLength(1);
});

test('a key store as trust store: its certificate is trusted, not the authority above it', () => {
  const issued = one.subordinate('Below').issue('broker');
  const location = keyStoreFile(join(directory, 'key.p12'), issued);
  expect(names({ 'ssl.truststore.location': location, 'ssl.truststore.password': STORE_PASSWORD })).toEqual([
    'O=Samsa\nCN=broker',
  ]);
});

test.each<[string, Partial<TlsSettings>, RegExp]>([
  [
    'a wrong password',
    {
      'ssl.truststore.location': trustStoreFile(join(directory, 'sealed.p12'), one.certificateFile),
      'ssl.truststore.password': 'wrong',
    },
    /^ssl\.truststore\.password cannot be the hidden value .*: it does not open .*sealed\.p12\.$/,
  ],
  [
    'a file without certificate',
    { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': join(directory, 'one/ca.key') },
    /^ssl\.truststore\.location .*ca\.key" .*: there is no certificate to trust in it\.$/,
  ],
  [
    'a damaged certificate',
    { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': pem(one).replace(/\n.{9}/, '\nAAAAAAAAA') },
    /^ssl\.truststore\.certificates cannot be the hidden value .*: a certificate in it cannot be read\.$/,
  ],
])('%s is one sentence', (_, given, sentence) => {
  expect(() => names(given)).toThrow(sentence);
});
