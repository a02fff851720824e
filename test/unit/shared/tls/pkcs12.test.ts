import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pkcs12Error, readPkcs12 } from '../../../../shared/tls/pkcs12.ts';
import { decryptRc2Cbc } from '../../../../shared/tls/rc2.ts';
import { CertificateAuthority, keyStoreFile, STORE_PASSWORD } from '../../../support/certificates.ts';
import { temporaryDirectory } from './support.ts';

const directory = temporaryDirectory();
const issued = CertificateAuthority.create(directory, 'Root').issue('broker');
const plain = readFileSync(
  keyStoreFile(join(directory, 'plain.p12'), issued, ['-nomac', '-keypbe', 'NONE', '-certpbe', 'NONE']),
);

test('whatever is damaged in a store is told as an error of the store', () => {
  fc.assert(
    fc.property(fc.nat({ max: plain.length - 1 }), fc.nat({ max: 255 }), fc.boolean(), (at, byte, isCut) => {
      const damaged = Buffer.from(isCut ? plain.subarray(0, at) : plain);
      if (!isCut) damaged[at] = byte;
      try {
        readPkcs12(damaged, STORE_PASSWORD);
      } catch (error) {
        expect(error).toBeInstanceOf(Pkcs12Error);
      }
    }),
    { numRuns: 3000 },
  );
});

/** BER, as some libraries write it: every constructed element without a length, octet strings in pieces. */
function toBer(der: Buffer, at = 0, end = der.length): Buffer {
  const pieces: Buffer[] = [];
  while (at < end) {
    const tag = der[at]!;
    const first = der[at + 1]!;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const from = at + 2 + lengthBytes;
    const to = from + (lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes));
    if ((tag & 0x20) === 0) pieces.push(der.subarray(at, to));
    else pieces.push(Buffer.from([tag, 0x80]), toBer(der, from, to), Buffer.alloc(2));
    at = to;
  }
  return Buffer.concat(pieces);
}

test('elements without a length are read', () => {
  const { keys, certificates } = readPkcs12(toBer(plain), STORE_PASSWORD);
  expect(keys).toHaveLength(1);
  expect(certificates).toHaveLength(1);
});

test('RC2 by the vectors of RFC 2268 §5 whose effective key length is that of the key', () => {
  const vectors = [
    ['ffffffffffffffff', 'ffffffffffffffff', '278b27e42e2f0d49'],
    ['3000000000000000', '1000000000000001', '30649edf9be7d2c2'],
    ['88bca90e90875a7f0f79c384627bafb2', '0000000000000000', '2269552ab0f85ca6'],
  ] as const;
  for (const [key, text, cipher] of vectors) {
    // CBC whose first vector makes of the text a whole block of padding less one byte.
    const padded = Buffer.alloc(8, 7);
    padded[0] = 42;
    const iv = Buffer.from(text, 'hex').map((byte, i) => byte ^ padded[i]!);
    const decrypted = decryptRc2Cbc(Buffer.from(key, 'hex'), Buffer.from(iv), Buffer.from(cipher, 'hex'));
    expect([...decrypted]).toEqual([42]);
  }
});
