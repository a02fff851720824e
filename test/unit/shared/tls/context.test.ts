import { describe, expect, test } from 'vitest';
import { cipherSuite } from '../../../../shared/tls/cipher-suites.ts';
import { readTerms } from '../../../../shared/tls/context.ts';
import { source } from './support.ts';

const options = (given: Parameters<typeof source>[0]) => readTerms(source(given), Date.now()).options;

describe('ssl.enabled.protocols', () => {
  test('becomes a range', () => {
    expect(options({})).toEqual({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' });
    expect(options({ 'ssl.enabled.protocols': ['TLSv1.3'] })).toEqual({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' });
    expect(options({ 'ssl.enabled.protocols': ['TLSv1.3', 'TLSv1.1', 'TLSv1.2', 'TLSv1.2'] })).toEqual({
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.3',
    });
  });

  test.each([
    [[], /it takes a list of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3\.$/],
    [['SSLv3'], /cannot be "SSLv3" \(server\.properties, line 7\): it takes a list of/],
    [['TLSv1.1', 'TLSv1.3'], /the versions in it must follow one another\.$/],
  ])('%j is refused', (protocols, sentence) => {
    expect(() => options({ 'ssl.enabled.protocols': protocols })).toThrow(sentence);
  });
});

describe('ssl.cipher.suites', () => {
  test.each([
    ['TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'],
    ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
    ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
    ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384', 'ECDHE-RSA-AES256-SHA384'],
    ['TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', 'DHE-RSA-AES128-GCM-SHA256'],
    ['TLS_RSA_WITH_AES_128_CBC_SHA', 'AES128-SHA'],
    ['SSL_RSA_WITH_AES_128_CBC_SHA', 'AES128-SHA'],
    ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ['TLS_NO_SUCH_SUITE', null],
  ])('%s is %s', (java, openssl) => {
    expect(cipherSuite(java)).toBe(openssl);
  });

  test('one that is not to be had is named', () => {
    expect(() => options({ 'ssl.cipher.suites': ['TLS_AES_128_GCM_SHA256', 'TLS_NULL'] })).toThrow(
      'there is no cipher suite TLS_NULL here.',
    );
  });
});
