/* oxlint-disable typescript/no-explicit-any -- one table of serdes of all types */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serdes, SerializationError, type Serde } from '../../../../client/index.ts';

/** Bytes as Kafka 3.9's classes write them, in hex. */
const GOLDEN: readonly (readonly [name: string, serde: Serde<any>, data: unknown, hex: string])[] = [
  ['short', serdes.short, -2, 'fffe'],
  ['integer', serdes.integer, 258, '00000102'],
  ['integer', serdes.integer, -2147483648, '80000000'],
  ['long', serdes.long, -1n, 'ffffffffffffffff'],
  ['long', serdes.long, 2n ** 63n - 1n, '7fffffffffffffff'],
  ['longNumber', serdes.longNumber, 2 ** 40, '0000010000000000'],
  ['float', serdes.float, 1.5, '3fc00000'],
  ['double', serdes.double, -0.5, 'bfe0000000000000'],
  ['boolean', serdes.boolean, true, '01'],
  ['string', serdes.string, 'kä', '6bc3a4'],
  ['string', serdes.string, '', ''],
  [
    'uuid',
    serdes.uuid,
    '0e6f5c2a-9a3c-4f0e-8c1d-2b3a4c5d6e7f',
    Buffer.from('0e6f5c2a-9a3c-4f0e-8c1d-2b3a4c5d6e7f').toString('hex'),
  ],
  ['json', serdes.json(), { a: [1, null] }, Buffer.from('{"a":[1,null]}').toString('hex')],
  ['bytes', serdes.bytes, Buffer.from('0001ff', 'hex'), '0001ff'],
  // 0 · no nulls · two entries
  ['list of integers', serdes.list(serdes.integer), [1, 2], '00' + '00000000' + '00000002' + '00000001' + '00000002'],
  // 0 · one null, at index 1 · three entries
  [
    'list of shorts',
    serdes.list(serdes.short),
    [1, null, 3],
    '00' + '00000001' + '00000001' + '00000003' + '0001' + '0003',
  ],
  // 1 · three entries, the second one null
  [
    'list of strings',
    serdes.list(serdes.string),
    ['a', null, ''],
    '01' + '00000003' + '0000000161' + 'ffffffff' + '00000000',
  ],
  ['list of nothing', serdes.list(serdes.string), [], '01' + '00000000'],
  [
    'list of lists',
    serdes.list(serdes.list(serdes.short)),
    [[7]],
    '01' + '00000001' + '0000000b' + '00' + '00000000' + '00000001' + '0007',
  ],
];

describe.each(GOLDEN)('%s', (_name, serde, data, hex) => {
  test('has Kafka’s bytes', () => {
    expect(serde.serialize(data, 't', [])!.toString('hex')).toBe(hex);
  });

  test('comes back from them', () => {
    expect(serde.deserialize(Buffer.from(hex, 'hex'), 't', [])).toEqual(data);
  });

  test('leaves null alone', () => {
    expect(serde.serialize(null, 't', [])).toBeNull();
    expect(serde.deserialize(null, 't', [])).toBeNull();
  });
});

describe('what does not fit is refused:', () => {
  test.each<[string, () => unknown, string]>([
    ['a short of 3 bytes', () => serdes.short.deserialize(Buffer.alloc(3)), 'ShortDeserializer is not 2 but 3 bytes'],
    [
      'an integer of none',
      () => serdes.integer.deserialize(Buffer.alloc(0)),
      'IntegerDeserializer is not 4 but 0 bytes',
    ],
    ['a long of 9', () => serdes.long.deserialize(Buffer.alloc(9)), 'LongDeserializer is not 8 but 9 bytes'],
    ['a float of 8', () => serdes.float.deserialize(Buffer.alloc(8)), 'FloatDeserializer is not 4 but 8 bytes'],
    ['a double of 4', () => serdes.double.deserialize(Buffer.alloc(4)), 'DoubleDeserializer is not 8 but 4 bytes'],
    ['a boolean of 2', () => serdes.boolean.deserialize(Buffer.alloc(2)), 'BooleanDeserializer is not 1 but 2 bytes'],
    [
      'a boolean that is 2',
      () => serdes.boolean.deserialize(Buffer.from([2])),
      'Unexpected byte received by BooleanDeserializer: 2',
    ],
    ['no UUID', () => serdes.uuid.deserialize(Buffer.from('x')), 'Error parsing data into UUID: "x" is none'],
    ['no JSON', () => serdes.json().deserialize(Buffer.from('{')), 'Error parsing data as JSON'],
    [
      'anything for void',
      () => serdes.void.deserialize(Buffer.alloc(0)),
      'Data should be null for a VoidDeserializer.',
    ],
    ['a short too large', () => serdes.short.serialize(32768), 'a short is an integer from -32768 to 32767, not 32768'],
    [
      'half an integer',
      () => serdes.integer.serialize(0.5),
      'an integer is an integer from -2147483648 to 2147483647, not 0.5',
    ],
    ['a long too large', () => serdes.long.serialize(2n ** 63n), 'a long is a bigint'],
    ['a long without its last digits', () => serdes.longNumber.serialize(2 ** 53), 'a long is a bigint'],
    [
      'a long that is no number',
      () => serdes.longNumber.deserialize(serdes.long.serialize(2n ** 53n)),
      'is no number without loss',
    ],
    ['text as a double', () => serdes.double.serialize('1' as never), 'a double is a number, not 1'],
    ['a number as text', () => serdes.string.serialize(1 as never), 'a string is wanted, not number'],
    ['a function as JSON', () => serdes.json().serialize(() => 1), 'there is no JSON for function'],
    ['a text as bytes', () => serdes.buffer.serialize('x' as never), 'bytes are wanted, not string'],
  ])('%s', (_name, act, message) => {
    expect(act).toThrow(SerializationError);
    expect(act).toThrow(message);
  });

  const strings = serdes.list(serdes.string);
  const shorts = serdes.list(serdes.short);
  test.each<[string, Serde<any>, string, string]>([
    ['no strategy', strings, '', 'End of the stream was reached prematurely'],
    ['a third strategy', strings, '02', 'Invalid serialization strategy flag value: 2'],
    ['entries that are not there', strings, '01' + '00000001', 'End of the stream'],
    ['a cut entry', strings, '01' + '00000001' + '00000005' + '61', 'End of the stream'],
    ['a negative length', strings, '01' + '00000001' + 'fffffffe', 'An entry of the list has the length -2'],
    ['more entries than bytes', strings, '01' + '7fffffff', 'A list of 5 bytes does not have 2147483647 entries'],
    ['a negative count', strings, '01' + 'ffffffff', 'A list of 5 bytes does not have -1 entries'],
    ['more nulls than bytes', shorts, '00' + '7fffffff', 'does not have 2147483647 entries'],
    ['one size for strings', strings, '00' + '00000000' + '00000000', 'those of its deserializer have none'],
    ['a wrong entry', serdes.list(serdes.uuid), '01' + '00000001' + '0000000161', 'Error parsing data into UUID'],
  ])('a list with %s', (_name, serde, hex, message) => {
    expect(() => serde.deserialize(Buffer.from(hex, 'hex'), 't', [])).toThrow(message);
  });
});

test('bytes are taken over from any view of them', () => {
  const floats = Float32Array.of(0, 1).subarray(1);
  expect(serdes.buffer.serialize(floats)!.length).toBe(4);
  expect(serdes.buffer.serialize(new DataView(Uint8Array.of(1, 2, 3).buffer, 1, 1))).toEqual(Buffer.from([2]));
  expect(serdes.bytes.serialize(Uint8Array.of(9))).toEqual(Buffer.from([9]));
  const own = Buffer.from('x');
  expect(serdes.bytes.serialize(own)).toBe(own);
});

test('whatever fits comes back', () => {
  const cases: [fc.Arbitrary<any>, Serde<any>][] = [
    [fc.integer({ min: -32768, max: 32767 }), serdes.short],
    [fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), serdes.integer],
    [fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), serdes.long],
    [fc.maxSafeInteger(), serdes.longNumber],
    [fc.double(), serdes.double],
    [fc.float(), serdes.float],
    [fc.uuid(), serdes.uuid],
    [fc.array(fc.option(fc.string())), serdes.list(serdes.string)],
    [fc.array(fc.option(fc.maxSafeInteger())), serdes.list(serdes.longNumber)],
  ];
  for (const [values, serde] of cases) {
    fc.assert(
      fc.property(values, value => {
        expect(serde.deserialize(serde.serialize(value, 't', []), 't', [])).toEqual(value);
      }),
    );
  }
});
