import fc from 'fast-check';
import { isPresent, type Field, type Fields } from '../../shared/protocol/schema.ts';

/** Values of a message in one version, generated from its own table: absent fields have their defaults, as decoding yields them. */
export function arbitraryMessage(fields: Fields, version: number): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(Object.entries(fields).map(([name, f]) => [name, arbitraryField(f, version)])));
}

function arbitraryField(f: Field, version: number): fc.Arbitrary<unknown> {
  if (!isPresent(f, version)) return fc.constant(defaultOf(f));
  const value = arbitraryValue(f, version);
  return version >= f.nullable
    ? fc.oneof({ arbitrary: value, weight: 4 }, { arbitrary: fc.constant(null), weight: 1 })
    : value;
}

function defaultOf(f: Field): unknown {
  if (f.default === null || f.kind !== 'struct') return f.default;
  return Object.fromEntries(Object.entries(f.fields!).map(([name, member]) => [name, defaultOf(member)]));
}

function arbitraryValue(f: Field, version: number): fc.Arbitrary<unknown> {
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
      return fc.integer();
    case 'uint32':
      return fc.nat(0xffff_ffff);
    case 'int64':
      return fc.maxSafeInteger();
    case 'exact64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'float64':
      return fc.double({ noNaN: true });
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 20 });
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => Buffer.from(bytes).toString('base64url'));
    case 'bytes':
    case 'records':
      return fc.uint8Array({ maxLength: 2000 }).map(bytes => Buffer.from(bytes));
    case 'array':
      return fc.array(arbitraryField(f.element!, version), { maxLength: 3 });
    case 'struct':
      return arbitraryMessage(f.fields!, version);
  }
}
