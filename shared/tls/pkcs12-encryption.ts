import { createDecipheriv, createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { children, integer, objectIdentifier, octets, SEQUENCE, type DerNode } from './der.ts';
import { decryptRc2Cbc } from './rc2.ts';

/** Encrypted in a way that cannot be undone here. */
export class UnsupportedEncryption extends Error {
  override readonly name = 'UnsupportedEncryption';
}

/** More rounds than any tool writes: the file wants to keep this process busy. Java draws the same line. */
const MAX_ITERATIONS = 5_000_000;

const HASHES: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const HMACS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};
/** Ciphers of PBES2, with the bytes of their keys. */
const CIPHERS: Readonly<Record<string, { name: string; keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
};
/** The encryptions of PKCS#12's own (RFC 7292, appendix C), with the bytes of their keys. */
const OLD_CIPHERS: Readonly<Record<string, { name: 'des-ede3-cbc' | 'rc2'; keyBytes: number }>> = {
  '1.2.840.113549.1.12.1.3': { name: 'des-ede3-cbc', keyBytes: 24 },
  '1.2.840.113549.1.12.1.5': { name: 'rc2', keyBytes: 16 },
  '1.2.840.113549.1.12.1.6': { name: 'rc2', keyBytes: 5 },
};
const PBES2 = '1.2.840.113549.1.5.13';
const PBMAC1 = '1.2.840.113549.1.5.14';
const PBKDF2 = '1.2.840.113549.1.5.12';
const DEFAULT_HMAC = 'sha1';

/** What the derived bytes are for: the "ID" of RFC 7292, B.3. */
const KEY = 1;
const IV = 2;
const MAC = 3;

function known<T>(table: Readonly<Record<string, T>>, identifier: string): T {
  const found = Object.hasOwn(table, identifier) ? table[identifier] : undefined;
  if (found === undefined) throw new UnsupportedEncryption(`the encryption ${identifier}`);
  return found;
}

function iterations(node: DerNode | undefined): number {
  const count = integer(node);
  if (count > MAX_ITERATIONS) throw new UnsupportedEncryption(`${count} rounds of key derivation`);
  return count;
}

/**
 * Decrypts what `algorithm` (an AlgorithmIdentifier) says how.
 * @throws Error when the password is wrong, UnsupportedEncryption, DerError
 */
export function decrypt(algorithm: DerNode | undefined, encrypted: Buffer, password: string): Buffer {
  const [identifier, parameters] = children(algorithm);
  const name = objectIdentifier(identifier);
  if (parameters === undefined) throw new UnsupportedEncryption(`the encryption ${name} without parameters`);
  return name === PBES2
    ? decryptPbes2(parameters, encrypted, password)
    : decryptOld(known(OLD_CIPHERS, name), parameters, encrypted, password);
}

/** RFC 8018, §6.2. */
function decryptPbes2(parameters: DerNode, encrypted: Buffer, password: string): Buffer {
  const [derivation, scheme] = children(parameters);
  const [cipherName, iv] = children(scheme);
  const cipher = known(CIPHERS, objectIdentifier(cipherName));
  const decipher = createDecipheriv(cipher.name, pbkdf2(derivation, password, cipher.keyBytes), octets(iv));
  return Buffer.concat([decipher.update(encrypted), decipher.final()]);
}

function decryptOld(
  { name, keyBytes }: { name: 'des-ede3-cbc' | 'rc2'; keyBytes: number },
  parameters: DerNode,
  encrypted: Buffer,
  password: string,
): Buffer {
  const [saltNode, rounds] = children(parameters);
  const salt = octets(saltNode);
  const count = iterations(rounds);
  const key = derive('sha1', KEY, password, salt, count, keyBytes);
  const iv = derive('sha1', IV, password, salt, count, 8);
  if (name === 'rc2') return decryptRc2Cbc(key, iv, encrypted);
  const decipher = createDecipheriv(name, key, iv);
  return Buffer.concat([decipher.update(encrypted), decipher.final()]);
}

/** RFC 8018, §5.2. @param derivation AlgorithmIdentifier with PBKDF2's parameters: salt, rounds, [key length], [hash] */
function pbkdf2(derivation: DerNode | undefined, password: string, bytes: number): Buffer {
  const [identifier, parameters] = children(derivation);
  const name = objectIdentifier(identifier);
  if (name !== PBKDF2 || parameters === undefined) throw new UnsupportedEncryption(`the key derivation ${name}`);
  const [salt, rounds, ...rest] = children(parameters);
  const hash = rest.find(({ tag }) => tag === SEQUENCE);
  const hmac = hash === undefined ? DEFAULT_HMAC : known(HMACS, objectIdentifier(children(hash)[0]));
  return pbkdf2Sync(Buffer.from(password), octets(salt), iterations(rounds), bytes, hmac);
}

/**
 * Whether the password is the one by which the store was sealed.
 * @param macData RFC 7292's MacData: digest, salt, rounds
 * @throws UnsupportedEncryption, DerError
 */
export function isSealedBy(password: string, macData: DerNode, sealed: Buffer): boolean {
  const [digestInfo, salt, rounds] = children(macData);
  const [algorithm, digest] = children(digestInfo);
  const [identifier, parameters] = children(algorithm);
  const name = objectIdentifier(identifier);
  const expected = octets(digest);
  const actual =
    name === PBMAC1
      ? pbmac1(parameters, sealed, password, expected.length)
      : oldMac(known(HASHES, name), octets(salt), rounds === undefined ? 1 : iterations(rounds), sealed, password);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function oldMac(hash: string, salt: Buffer, rounds: number, sealed: Buffer, password: string): Buffer {
  const bytes = createHash(hash).digest().length;
  return createHmac(hash, derive(hash, MAC, password, salt, rounds, bytes))
    .update(sealed)
    .digest();
}

/** RFC 9579. */
function pbmac1(parameters: DerNode | undefined, sealed: Buffer, password: string, bytes: number): Buffer {
  const [derivation, scheme] = children(parameters);
  const hash = known(HMACS, objectIdentifier(children(scheme)[0]));
  return createHmac(hash, pbkdf2(derivation, password, bytes))
    .update(sealed)
    .digest();
}

/** The key derivation of PKCS#12's own (RFC 7292, B.2); the password in UTF-16 with two zero bytes behind it. */
function derive(hash: string, id: number, password: string, salt: Buffer, rounds: number, bytes: number): Buffer {
  const blockBytes = hash === 'sha384' || hash === 'sha512' ? 128 : 64;
  const text = Buffer.concat([Buffer.from(password, 'utf16le').swap16(), Buffer.alloc(2)]);
  const input = Buffer.concat([repeated(salt, blockBytes), repeated(text, blockBytes)]);
  const diversifier = Buffer.alloc(blockBytes, id);
  const derived: Buffer[] = [];
  for (let have = 0; have < bytes;) {
    let digest = createHash(hash).update(diversifier).update(input).digest();
    for (let i = 1; i < rounds; i++) digest = createHash(hash).update(digest).digest();
    derived.push(digest);
    have += digest.length;
    addToBlocks(input, repeated(digest, blockBytes).subarray(0, blockBytes));
  }
  return Buffer.concat(derived).subarray(0, bytes);
}

/** As many copies as fill a whole number of blocks; nothing for nothing. */
function repeated(bytes: Buffer, blockBytes: number): Buffer {
  if (bytes.length === 0) return bytes;
  return Buffer.alloc(Math.ceil(bytes.length / blockBytes) * blockBytes, bytes);
}

/** Adds `addend` + 1 to each block, as big-endian numbers that wrap around. */
function addToBlocks(blocks: Buffer, addend: Buffer): void {
  for (let from = 0; from < blocks.length; from += addend.length) {
    let carry = 1;
    for (let i = addend.length - 1; i >= 0; i--) {
      carry += blocks[from + i]! + addend[i]!;
      blocks[from + i] = carry & 0xff;
      carry >>= 8;
    }
  }
}
