import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { TlsSettings, TlsSource } from '../../../../shared/tls/settings.ts';

/** A directory for a file of tests, removed after them. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'samsa-tls-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Settings as line 7 of server.properties would give them; the rest as by default. */
export function source(given: Partial<TlsSettings>): TlsSource {
  return {
    values: {
      'ssl.keystore.type': 'JKS',
      'ssl.keystore.location': null,
      'ssl.keystore.password': null,
      'ssl.key.password': null,
      'ssl.keystore.key': null,
      'ssl.keystore.certificate.chain': null,
      'ssl.truststore.type': 'JKS',
      'ssl.truststore.location': null,
      'ssl.truststore.password': null,
      'ssl.truststore.certificates': null,
      'ssl.enabled.protocols': ['TLSv1.2', 'TLSv1.3'],
      'ssl.cipher.suites': [],
      'ssl.endpoint.identification.algorithm': 'https',
      ...given,
    },
    given: name => ({ name, origin: name in given ? 'server.properties, line 7' : undefined }),
  };
}
