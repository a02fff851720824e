/** One PEM block (RFC 7468): what it holds by its label, and itself in the usual form. */
export interface PemBlock {
  readonly label: string;
  readonly text: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g;
const LINE_CHARACTERS = 64;

/**
 * The blocks in a text, whatever stands between them. Their line breaks may be gone or be blanks, as in properties files
 * (KIP-651).
 */
export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([, label = '', body = '']) => ({ label, text: blockText(label, body) }));
}

/** Certificates and private keys, apart. */
export function certificatesIn(blocks: readonly PemBlock[]): PemBlock[] {
  return blocks.filter(({ label }) => /^(X509 |TRUSTED )?CERTIFICATE$/.test(label));
}

export function privateKeysIn(blocks: readonly PemBlock[]): PemBlock[] {
  return blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
}

/** DER bytes as a PEM block. */
export function toPem(label: string, der: Buffer): string {
  return blockText(label, der.toString('base64'));
}

/** Old keys have headers about their encryption, whose lines stay as they are. */
function blockText(label: string, body: string): string {
  const hasHeaders = body.includes(':');
  const lines = hasHeaders ? [body.trim()] : (body.replace(/\s+/g, '').match(LINES) ?? []);
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

const LINES = new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g');
