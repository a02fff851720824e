import fc from 'fast-check';
import { defaultOf, isPresent, type Field, type Fields } from '../../../../shared/protocol/schema.ts';

const buffer = (maxLength: number) => fc.uint8Array({ maxLength }).map(array => Buffer.from(array));

/** Record bytes on both sides of the size from which they are passed through. */
const recordBytes = fc.oneof(
  buffer(40),
  fc.integer({ min: 1000, max: 1100 }).map(length => Buffer.alloc(length, length)),
);

const uuidText = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(b => Buffer.from(b).toString('base64url'));

/** Every code point; no lone surrogates, which UTF-8 cannot carry. */
const text = fc.string({ unit: 'binary', maxLength: 12 });

function ofKind(f: Field, version: number): fc.Arbitrary<unknown> {
  switch (f.kind) {
    case 'bool':
      return fc.boolean();
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f });
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff });
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff });
    case 'int32':
      return fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffff_ffff });
    case 'int64':
      return fc.maxSafeInteger();
    case 'exact64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'float64':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => (value === 0 ? 0 : value));
    case 'string':
      return text;
    case 'bytes':
      return buffer(40);
    case 'records':
      return recordBytes;
    case 'uuid':
      return uuidText;
    case 'array':
      return fc.array(ofField(f.element!, version), { maxLength: 3 });
    case 'struct':
      return decodedOf(f.fields!, version);
  }
}

function ofField(f: Field, version: number): fc.Arbitrary<unknown> {
  const value = ofKind(f, version);
  return version >= f.nullable ? fc.option(value, { freq: 4 }) : value;
}

/** A struct as decoding yields it: any value in the fields of the version, the default in those it does not have. */
export function decodedOf(fields: Fields, version: number): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.entries(fields).map(([name, f]): [string, fc.Arbitrary<unknown>] => {
    if (!isPresent(f, version)) return [name, fc.constant(null).map(() => defaultOf(f))];
    const value = ofField(f, version);
    return [
      name,
      f.optional
        ? fc.oneof(
            { weight: 3, arbitrary: value },
            fc.constant(null).map(() => defaultOf(f)),
          )
        : value,
    ];
  });
  return fc.record(Object.fromEntries(members), { noNullPrototype: true });
}
