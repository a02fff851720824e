import { createPrivateKey, type KeyObject } from 'node:crypto';
import { children, DerError, explicit, objectIdentifier, octets, readDer, type DerNode } from './der.ts';
import { decrypt, isSealedBy, UnsupportedEncryption } from './pkcs12-encryption.ts';

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';
/** By which Java marks a certificate as one to trust. */
const TRUSTED_KEY_USAGE = '2.16.840.1.113894.746875.1.1';
const KEY_BAG = '1.2.840.113549.1.12.10.1.1';
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3';
const NESTED_BAG = '1.2.840.113549.1.12.10.1.6';
const IMPLICIT_0 = 0x80;
const SET = 0x31;
const MAX_NESTING = 8;

/** What is wrong with a store: the password, or the file itself. */
export class Pkcs12Error extends Error {
  override readonly name = 'Pkcs12Error';
  readonly isPassword: boolean;

  constructor(message: string, isPassword = false) {
    super(message);
    this.isPassword = isPassword;
  }
}

export interface StoredCertificate {
  readonly der: Buffer;
  /** Whether it stands for itself, as one to trust, rather than as a part of a key's chain. */
  readonly isTrusted: boolean;
}

export interface Pkcs12Contents {
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly StoredCertificate[];
}

/** One entry of a store: what it is, its value, and its attributes by identifier. */
interface Bag {
  readonly kind: string;
  readonly value: DerNode;
  readonly attributes: ReadonlyMap<string, Buffer>;
}

/**
 * Reads a PKCS#12 store (RFC 7292) as keytool and OpenSSL, today's and yesterday's, write it: also one with nothing but
 * certificates, which Node's own reader does not take.
 * @param password null: the seal is not checked, and what is encrypted cannot be read
 * @throws Pkcs12Error
 */
export function readPkcs12(bytes: Buffer, password: string | null): Pkcs12Contents {
  try {
    return contentsOf(openSafe(bytes, password), password);
  } catch (error) {
    if (error instanceof DerError) throw new Pkcs12Error(`is not a PKCS#12 store: ${error.message}`);
    if (error instanceof UnsupportedEncryption) throw new Pkcs12Error(`uses ${error.message}, which is not known here`);
    throw error;
  }
}

function openSafe(bytes: Buffer, password: string | null): Bag[] {
  const [, authSafe, macData] = children(readDer(bytes));
  if (authSafe === undefined) throw new DerError('it holds nothing');
  const safe = plainContent(authSafe);
  if (macData !== undefined && password !== null && !isSealedBy(password, macData, safe)) throw wrongPassword();
  return children(readDer(safe)).flatMap(info => bagsIn(safeContents(info, password)));
}

function wrongPassword(): Pkcs12Error {
  return new Pkcs12Error('is not opened by the password', true);
}

function plainContent(info: DerNode): Buffer {
  const [type, content] = children(info);
  const name = objectIdentifier(type);
  if (name !== DATA) throw new UnsupportedEncryption(`contents of the kind ${name}`);
  return octets(explicit(content, 0));
}

function safeContents(info: DerNode, password: string | null): Buffer {
  const [type, content] = children(info);
  if (objectIdentifier(type) !== ENCRYPTED_DATA) return plainContent(info);
  const [, encryptedInfo] = children(explicit(content, 0));
  const [, algorithm, encrypted] = children(encryptedInfo);
  return opened(algorithm, octets(encrypted, IMPLICIT_0), password);
}

function opened(algorithm: DerNode | undefined, encrypted: Buffer, password: string | null): Buffer {
  if (password === null) throw new Pkcs12Error('is encrypted, and no password was given', true);
  try {
    return decrypt(algorithm, encrypted, password);
  } catch (error) {
    if (error instanceof DerError || error instanceof UnsupportedEncryption) throw error;
    throw wrongPassword();
  }
}

function bagsIn(safe: Buffer, depth = 0): Bag[] {
  if (depth > MAX_NESTING) throw new DerError('it is nested too deeply');
  return children(readDer(safe)).flatMap(node => {
    const [kind, value, attributes] = children(node);
    const name = objectIdentifier(kind);
    const inner = explicit(value, 0);
    if (name === NESTED_BAG) return bagsIn(octets(inner), depth + 1);
    return [{ kind: name, value: inner, attributes: readAttributes(attributes) }];
  });
}

function readAttributes(set: DerNode | undefined): Map<string, Buffer> {
  if (set === undefined) return new Map();
  return new Map(
    children(set, SET).map(attribute => {
      const [name, values] = children(attribute);
      return [objectIdentifier(name), values?.content ?? Buffer.alloc(0)];
    }),
  );
}

function contentsOf(bags: readonly Bag[], password: string | null): Pkcs12Contents {
  const keys = bags.flatMap(bag => keyOf(bag, password));
  // Only keytool marks what is to be trusted. Without keys beside them, certificates can have no other purpose.
  const isTrusted = (bag: Bag) =>
    keys.length === 0 || bag.attributes.has(TRUSTED_KEY_USAGE) || bag.attributes.has(LOCAL_KEY_ID);
  const certificates = bags
    .filter(({ kind }) => kind === CERTIFICATE_BAG)
    .flatMap(bag => {
      const [type, value] = children(bag.value);
      if (objectIdentifier(type) !== X509_CERTIFICATE) return [];
      return [{ der: octets(explicit(value, 0)), isTrusted: isTrusted(bag) }];
    });
  return { keys, certificates };
}

function keyOf({ kind, value }: Bag, password: string | null): KeyObject[] {
  if (kind === KEY_BAG) return [parseKey(derOf(value))];
  if (kind !== SHROUDED_KEY_BAG) return [];
  const [algorithm, encrypted] = children(value);
  return [parseKey(opened(algorithm, octets(encrypted), password))];
}

function parseKey(der: Buffer): KeyObject {
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch {
    throw new Pkcs12Error('holds a private key of a kind that is not known here');
  }
}

/** The element's bytes with tag and length before them. */
function derOf({ tag, content }: DerNode): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([Buffer.from([tag, 0x84]), length, content]);
}
