import { getCiphers } from 'node:tls';

/**
 * The name by which OpenSSL knows a cipher suite that is given by its IANA name, as Java has it, or by OpenSSL's own;
 * null for one that is not to be had.
 */
export function cipherSuite(name: string): string | null {
  const known = getCiphers().map(cipher => cipher.toUpperCase());
  const candidates = [name.toUpperCase(), openSslName(name.toUpperCase())];
  return candidates.find(candidate => known.includes(candidate)) ?? null;
}

/** `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` → `ECDHE-RSA-AES128-GCM-SHA256`. */
function openSslName(name: string): string {
  const [, exchange = '', cipher = ''] = /^(?:TLS|SSL)_(.+)_WITH_(.+)$/.exec(name) ?? [];
  const symmetric = cipher
    .replace(/^(AES|CAMELLIA)_(\d+)/, '$1$2')
    .replace(/^(ARIA)_(\d+)/, '$1$2')
    .replace('_CBC_', '_')
    .replace('CHACHA20_POLY1305_SHA256', 'CHACHA20_POLY1305');
  const keyExchange = exchange === 'RSA' ? '' : `${exchange}_`;
  return `${keyExchange}${symmetric}`.replaceAll('_', '-');
}
