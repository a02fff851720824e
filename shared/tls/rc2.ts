/** The permutation that RFC 2268 derives from the digits of pi. */
const PI_TABLE = Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32' +
    'bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a' +
    '961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e' +
    'c5f3db47e5a59c770aa62068fe7fc1ad',
  'hex',
);
const BLOCK_BYTES = 8;
const SHIFTS = [1, 2, 3, 5] as const;

/**
 * Decrypts RC2 in CBC mode (RFC 2268) and takes the padding off. No use but to read key stores that Java before 8u301
 * and OpenSSL before 3 wrote: their certificates are encrypted so, and the OpenSSL within Node has it no more.
 * @throws Error when the padding says that the key is wrong
 */
export function decryptRc2Cbc(key: Buffer, iv: Buffer, encrypted: Buffer): Buffer {
  if (encrypted.length === 0 || encrypted.length % BLOCK_BYTES !== 0) throw new Error('no whole number of blocks');
  const words = expandKey(key);
  const plain = Buffer.alloc(encrypted.length);
  let previous = iv;
  for (let at = 0; at < encrypted.length; at += BLOCK_BYTES) {
    const block = encrypted.subarray(at, at + BLOCK_BYTES);
    const decrypted = decryptBlock(words, block);
    for (let i = 0; i < BLOCK_BYTES; i++) plain[at + i] = decrypted[i]! ^ previous[i]!;
    previous = block;
  }
  return withoutPadding(plain);
}

/** RFC 2268 §2, with an effective key length equal to the key's. */
function expandKey(key: Buffer): Uint16Array {
  const bytes = Buffer.alloc(128);
  key.copy(bytes);
  for (let i = key.length; i < 128; i++) bytes[i] = PI_TABLE[(bytes[i - 1]! + bytes[i - key.length]!) & 0xff]!;
  bytes[128 - key.length] = PI_TABLE[bytes[128 - key.length]!]!;
  for (let i = 127 - key.length; i >= 0; i--) bytes[i] = PI_TABLE[bytes[i + 1]! ^ bytes[i + key.length]!]!;
  return Uint16Array.from({ length: 64 }, (_, i) => bytes.readUInt16LE(2 * i));
}

/** RFC 2268 §4: five mixing rounds, one mashing round, six, one, five; all backwards. */
function decryptBlock(words: Uint16Array, block: Buffer): Buffer {
  const r = Uint16Array.from({ length: 4 }, (_, i) => block.readUInt16LE(2 * i));
  for (let round = 15; round >= 0; round--) {
    unmix(r, words, round);
    if (round === 11 || round === 5) unmash(r, words);
  }
  const plain = Buffer.alloc(BLOCK_BYTES);
  r.forEach((word, i) => plain.writeUInt16LE(word, 2 * i));
  return plain;
}

function unmix(r: Uint16Array, words: Uint16Array, round: number): void {
  for (let i = 3; i >= 0; i--) {
    const rotated = (r[i]! >>> SHIFTS[i]!) | (r[i]! << (16 - SHIFTS[i]!));
    const [a, b, c] = [r[(i + 3) & 3]!, r[(i + 2) & 3]!, r[(i + 1) & 3]!];
    r[i] = rotated - words[4 * round + i]! - (a & b) - (~a & c);
  }
}

function unmash(r: Uint16Array, words: Uint16Array): void {
  for (let i = 3; i >= 0; i--) r[i] = r[i]! - words[r[(i + 3) & 3]! & 63]!;
}

function withoutPadding(plain: Buffer): Buffer {
  const count = plain.at(-1)!;
  const padding = plain.subarray(-count);
  if (count < 1 || count > BLOCK_BYTES || padding.some(byte => byte !== count)) throw new Error('bad padding');
  return plain.subarray(0, plain.length - count);
}
