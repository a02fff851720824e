import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../../../../shared/protocol/api.ts';
import { ProtocolError } from '../../../../shared/protocol/errors.ts';
import { message, type DecodedOf, type InputOf } from '../../../../shared/protocol/message.ts';
import { AlterPartition } from '../../../../shared/protocol/messages/alter-partition.ts';
import { ApiVersions } from '../../../../shared/protocol/messages/api-versions.ts';
import { Fetch } from '../../../../shared/protocol/messages/fetch.ts';
import { ListOffsets } from '../../../../shared/protocol/messages/list-offsets.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../../../shared/protocol/messages/produce.ts';
import {
  array,
  bool,
  bytes,
  exact64,
  float64,
  int16,
  int32,
  int64,
  int8,
  string,
  struct,
  uint16,
  uint32,
  uuid,
  ZERO_UUID,
  type Field,
  type Records,
} from '../../../../shared/protocol/schema.ts';
import { arbitraryMessage } from '../../../support/arbitrary-message.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/[\s|]/g, ''), 'hex');
const joined = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString('hex');

/** Two versions of a message with one field: 0 in the old encoding, 1 in the flexible one. */
const only = (field: Field) =>
  message({ name: 'Only', versions: { min: 0, max: 1 }, flexibleSince: 1 }, { value: field });

describe('primitives known byte for byte', () => {
  const nullable = { nullable: 0 };
  const cases: [string, Field, unknown, old: string, flexible: string][] = [
    ['bool', bool(), true, '01', '01 00'],
    ['int8', int8(), -2, 'fe', 'fe 00'],
    ['int16', int16(), -2, 'ff fe', 'ff fe 00'],
    ['uint16', uint16(), 65534, 'ff fe', 'ff fe 00'],
    ['int32', int32(), -2, 'ff ff ff fe', 'ff ff ff fe 00'],
    ['uint32', uint32(), 4294967294, 'ff ff ff fe', 'ff ff ff fe 00'],
    ['int64', int64(), -2, 'ff ff ff ff ff ff ff fe', 'ff ff ff ff ff ff ff fe 00'],
    ['int64 above 32 bits', int64(), 2 ** 40 + 3, '00 00 01 00 00 00 00 03', '00 00 01 00 00 00 00 03 00'],
    ['exact64', exact64(), 2n ** 63n - 1n, '7f ff ff ff ff ff ff ff', '7f ff ff ff ff ff ff ff 00'],
    ['float64', float64(), 1.5, '3f f8 00 00 00 00 00 00', '3f f8 00 00 00 00 00 00 00'],
    [
      'uuid',
      uuid(),
      'AAECAwQFBgcICQoLDA0ODw',
      '000102030405060708090a0b0c0d0e0f',
      '000102030405060708090a0b0c0d0e0f 00',
    ],
    ['string', string(), 'ab', '00 02 61 62', '03 61 62 00'],
    ['empty string', string(), '', '00 00', '01 00'],
    ['null string', string(nullable), null, 'ff ff', '00 00'],
    ['string beyond ASCII', string(), 'ü€', '00 05 c3 bc e2 82 ac', '06 c3 bc e2 82 ac 00'],
    ['bytes', bytes(), Buffer.from('ab'), '00 00 00 02 61 62', '03 61 62 00'],
    ['null bytes', bytes(nullable), null, 'ff ff ff ff', '00 00'],
    ['array', array(int32()), [1, 2], '00000002 00000001 00000002', '03 00000001 00000002 00'],
    ['empty array', array(int32()), [], '00 00 00 00', '01 00'],
    ['null array', array(int32(), nullable), null, 'ff ff ff ff', '00 00'],
    ['struct', struct({ a: int8() }), { a: 7 }, '07', '07 00 00'],
    ['present nullable struct', struct({ a: int8() }, nullable), { a: 7 }, '01 07', '01 07 00 00'],
    ['null struct', struct({ a: int8() }, nullable), null, 'ff', 'ff 00'],
  ];

  test.each(cases)('%s', (_, field, value, old, flexible) => {
    const m = only(field);
    for (const [version, text] of [old, flexible].entries()) {
      expect(joined(m.encode({ value }, version))).toBe(hex(text).toString('hex'));
      expect(m.decode(hex(text), version)).toEqual({ value });
    }
  });

  test('lengths of more than 7 bits', () => {
    const m = only(string());
    expect(joined(m.encode({ value: 'x'.repeat(126) }, 1)).slice(0, 2)).toBe('7f');
    expect(joined(m.encode({ value: 'x'.repeat(127) }, 1)).slice(0, 4)).toBe('8001');
    expect(joined(m.encode({ value: 'x'.repeat(299) }, 1)).slice(0, 4)).toBe('ac02');
  });

  test('every kind of field, tagged, nested and nullable, survives the round trip', () => {
    const inner = { a: int64(), b: string({ tag: 3, default: 'x' }), c: array(uuid(), { tag: 1 }) };
    const fields = {
      u16: uint16(),
      u32: uint32(),
      float: float64(),
      blob: bytes({ nullable: 0 }),
      flag: bool({ since: 1, tag: 4, default: true }),
      maybe: struct(inner, { nullable: 1 }),
      many: array(inner, { since: 1, nullable: 1, tag: 200 }),
    };
    const m = message({ name: 'All', versions: { min: 1, max: 1 }, flexibleSince: 0 }, fields);
    fc.assert(
      fc.property(arbitraryMessage(fields, 1), value => {
        // What JSON text cannot say of floating point numbers.
        fc.pre(Number.isFinite(value.float) && !Object.is(value.float, -0));
        const encoded = Buffer.concat(m.encode(value as InputOf<typeof m>, 1));
        expect(m.decode(encoded, 1)).toEqual(value);
        expect(m.fromJson(JSON.parse(JSON.stringify(m.toJson(value as InputOf<typeof m>, 1))), 1)).toEqual(value);
      }),
    );
  });
});

describe('tagged fields', () => {
  const m = message(
    { name: 'Tagged', versions: { min: 0, max: 1 }, flexibleSince: 1 },
    {
      late: string({ since: 1, tag: 130, default: '' }),
      early: string({ since: 1, tag: 0, default: '' }),
      nested: struct({ x: int32({ default: -1 }) }, { since: 1, tag: 2 }),
    },
  );

  test('are written in the order of their tags, those that say nothing new not at all', () => {
    expect(joined(m.encode({ early: 'x' }, 1))).toBe('01000202' + '78');
    expect(joined(m.encode({ late: 'b', early: 'a' }, 1))).toBe('02' + '00020261' + '8201020262');
    expect(joined(m.encode({ early: '', nested: { x: -1 } }, 1))).toBe('00');
    expect(joined(m.encode({ nested: {} }, 1))).toBe('00');
    expect(joined(m.encode({ nested: { x: 5 } }, 1))).toBe('01' + '0205' + '00000005' + '00');
  });

  test('of later versions of the protocol are skipped', () => {
    expect(m.decode(hex('02 | 00 02 02 78 | 63 03 aa bb cc'), 1)).toEqual({ late: '', early: 'x', nested: { x: -1 } });
  });

  test('must have the size they claim', () => {
    expect(() => m.decode(hex('01 00 03 02 78 00'), 1)).toThrow(/another size/);
    expect(() => m.decode(hex('01 00 01 02 78'), 1)).toThrow(/another size/);
    expect(() => m.decode(hex('01 63 7f'), 1)).toThrow(/claims 127 bytes where 0 are left/);
  });
});

describe('what is refused when decoding', () => {
  test('a length beyond the bytes that are left, before anything is allocated', () => {
    expect(() => Metadata.request.decode(hex('7f ff ff ff'), 1)).toThrow(
      /topics: claims 2147483647 elements where 0 bytes are left/,
    );
    expect(() => Metadata.request.decode(hex('80 80 80 80 08'), 9)).toThrow(/topics: claims 2147483647 elements/);
    expect(() => only(bytes()).decode(hex('7f ff ff ff 00'), 0)).toThrow(/value: needs 2147483647 bytes where 1 are/);
  });

  test('more elements than could fit, by the least size of one', () => {
    // 40 partitions of 12 bytes and more cannot be in 40 bytes.
    const body = Buffer.concat([hex('ffffffff 00000001 0001 74 00000028'), Buffer.alloc(40)]);
    expect(() => ListOffsets.request.decode(body, 1)).toThrow(/partitions: claims 40 elements where 40 bytes/);
  });

  test.each([
    ['a negative length', only(string()), 0, 'ff fe', /value: has the negative length -2/],
    ['a string above 32767 bytes', only(string()), 1, '81 80 02', /value: has 32768 bytes/],
    ['a varint of more than 5 bytes', only(string()), 1, '80 80 80 80 80 01', /longer than 5 bytes/],
    ['a varint of more than 32 bits', only(string()), 1, 'ff ff ff ff 7f', /above 32 bits/],
    ['null where it is not allowed', only(bytes()), 0, 'ff ff ff ff', /value: is null/],
    ['a marker that is neither null nor present', only(struct({}, { nullable: 0 })), 0, '02', /starts with 2/],
    ['bytes after the last field', only(int8()), 0, '01 02 03', /2 bytes follow the last field/],
  ])('%s', (_, m, version, text, reason) => {
    expect(() => m.decode(hex(text), version)).toThrow(ProtocolError);
    expect(() => m.decode(hex(text), version)).toThrow(reason);
  });

  test('the error names message, version and field', () => {
    expect(() => Metadata.request.decode(hex('ff ff ff ff'), 0)).toThrow('MetadataRequest v0: topics: is null');
    expect(() => Metadata.request.decode(hex('00 00 00 01 00 05 61'), 0)).toThrow(
      'MetadataRequest v0: topics[].name: ',
    );
  });

  test('versions that do not exist', () => {
    expect(() => Metadata.request.decode(Buffer.alloc(0), 13)).toThrow('no version 13, only 0 to 12');
    expect(() => Metadata.request.decode(Buffer.alloc(0), -1)).toThrow(ProtocolError);
    expect(() => Metadata.request.encode({ topics: null }, 13)).toThrow(ProtocolError);
  });

  test('not: bytes after an ApiVersions request, as in Kafka', () => {
    expect(ApiVersions.request.decode(hex('02 6e 02 31 00 ff ff'), 3).clientSoftwareName).toBe('n');
    expect(() => ApiVersions.response.decode(hex('00 00 00 00 00 00 ff'), 0)).toThrow(/1 bytes follow/);
  });

  test('64-bit values beyond 2^53 saturate where they are numbers', () => {
    const body = (timestamp: string) => hex(`ffffffff 00000001 0001 74 00000001 00000000 ${timestamp}`);
    const timestamp = (text: string) => ListOffsets.request.decode(body(text), 1).topics[0]!.partitions[0]!.timestamp;
    expect(timestamp('7fffffffffffffff')).toBe(Number.MAX_SAFE_INTEGER);
    expect(timestamp('8000000000000000')).toBe(Number.MIN_SAFE_INTEGER);
    expect(timestamp('001fffffffffffff')).toBe(Number.MAX_SAFE_INTEGER);
    expect(timestamp('fffffffffffffffe')).toBe(-2);
  });
});

describe('what is refused when encoding', () => {
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: null }] }];

  test('a value in a field that the version does not have, unless it may be dropped', () => {
    const transactional = { transactionalId: 'tx', acks: 1, timeoutMs: 1, topicData };
    expect(() => Produce.request.encode(transactional, 2)).toThrow('transactionalId: cannot be sent in version 2');
    expect(Produce.request.decode(Buffer.concat(Produce.request.encode(transactional, 3)), 3).transactionalId).toBe(
      'tx',
    );
    const isr = { partitionIndex: 0, leaderEpoch: 1, partitionEpoch: 1, newIsr: [1] };
    const alter = { brokerId: 1, topics: [{ topicId: ZERO_UUID, partitions: [isr] }] };
    expect(() => AlterPartition.request.encode(alter, 3)).toThrow('newIsr: cannot be sent in version 3');
    expect(AlterPartition.request.encode(alter, 2)).toHaveLength(1);
    const response = { brokers: [], topics: [], clusterId: 'dropped', throttleTimeMs: 5 };
    expect(joined(Metadata.response.encode(response, 0))).toBe('0000000000000000');
  });

  test('a struct in such a field; but one of defaults only says nothing', () => {
    const fetch = { maxWaitMs: 1, minBytes: 1, topics: [] };
    const replica = { ...fetch, replicaState: { replicaId: 1, replicaEpoch: 5n } };
    const consumer = { ...fetch, replicaState: { replicaId: -1 } };
    expect(() => Fetch.request.encode(replica, 14)).toThrow('replicaState: cannot be sent in version 14');
    expect(joined(Fetch.request.encode(consumer, 14))).toBe(joined(Fetch.request.encode(fetch, 14)));
    const read = Fetch.request.decode(Buffer.concat(Fetch.request.encode(replica, 15)), 15);
    expect(read.replicaState).toEqual({ replicaId: 1, replicaEpoch: 5n });
  });

  test('null where the version has none', () => {
    expect(() => Metadata.request.encode({ topics: null }, 0)).toThrow(
      'MetadataRequest v0: topics: is null, which version 0 does not allow',
    );
  });

  test.each<[string, Field, unknown]>([
    ['a fraction', int32(), 1.5],
    ['NaN', int64(), NaN],
    ['an int8 out of range', int8(), 128],
    ['an int16 out of range', int16(), -32769],
    ['a uint16 below zero', uint16(), -1],
    ['an int32 out of range', int32(), 2 ** 31],
    ['an int64 that is not exact', int64(), 2 ** 53],
    ['a number for a bigint', exact64(), 5],
    ['a bigint of more than 64 bits', exact64(), 2n ** 63n],
    ['text for a number', int32(), '5'],
    ['a number for text', string(), 5],
    ['text beyond 32767 bytes', string(), 'ü'.repeat(16384)],
    ['a truthy boolean', bool(), 1],
    ['an id that is too short', uuid(), 'AAAA'],
    ['an id of 128 bits and a half', uuid(), 'AAAAAAAAAAAAAAAAAAAAAB'],
    ['a missing field that has to be there', int32(), undefined],
  ])('%s', (_, field, value) => {
    for (const version of [0, 1]) {
      expect(() => only(field).encode({ value }, version)).toThrow(ProtocolError);
      expect(() => only(field).encode({ value }, version)).toThrow(/^Only v\d: value: /);
    }
  });
});

describe('records', () => {
  const produce = (records: Records) => ({
    acks: 1,
    timeoutMs: 1,
    topicData: [
      {
        name: 't',
        partitionData: [
          { index: 0, records },
          { index: 1, records: Buffer.from('tail') },
        ],
      },
    ],
  });

  test('of 1 KiB and more are passed on as they are, in pieces or not; shorter ones are gathered', () => {
    const whole: Buffer = Buffer.alloc(5000, 7);
    for (const version of [3, 9]) {
      const pieces = [whole.subarray(0, 2000), whole.subarray(2000, 2100), whole.subarray(2100)];
      const chunks = Produce.request.encode(produce(pieces), version);
      expect(chunks.map(chunk => pieces.findIndex(piece => piece === chunk))).toEqual([-1, 0, -1, 2, -1]);
      expect(joined(chunks)).toBe(joined(Produce.request.encode(produce(whole), version)));
      expect(Produce.request.encode(produce(whole.subarray(0, 1023)), version)).toHaveLength(1);
    }
  });

  test('are decoded as views of the buffer that was received', () => {
    const whole = Buffer.alloc(5000, 7);
    const received = Buffer.concat(Produce.request.encode(produce(whole), 9));
    const records = Produce.request.decode(received, 9).topicData[0]!.partitionData[0]!.records as Buffer;
    expect(records.buffer).toBe(received.buffer);
    expect(records.equals(whole)).toBe(true);
  });
});

test('types: all is there in what was decoded, what has a default may lack in what is encoded', () => {
  expectTypeOf<RequestOf<typeof Fetch>>().toExtend<RequestInput<typeof Fetch>>();
  expectTypeOf<ResponseOf<typeof Fetch>>().toExtend<ResponseInput<typeof Fetch>>();
  expectTypeOf<ResponseOf<typeof Metadata>>().toExtend<ResponseInput<typeof Metadata>>();
  expectTypeOf<RequestOf<typeof Metadata>['topics']>().toEqualTypeOf<
    { readonly topicId: string; readonly name: string | null }[] | null
  >();
  expectTypeOf<RequestOf<typeof Fetch>['replicaState']['replicaEpoch']>().toEqualTypeOf<bigint>();
  expectTypeOf<{ maxWaitMs: number; minBytes: number; topics: [] }>().toExtend<RequestInput<typeof Fetch>>();
  expectTypeOf<{ maxWaitMs: number; topics: [] }>().not.toExtend<RequestInput<typeof Fetch>>();
  const m = message(
    { name: 'M', versions: { min: 0, max: 0 }, flexibleSince: null },
    { a: int8(), b: int8({ default: 1 }) },
  );
  expectTypeOf<DecodedOf<typeof m>>().toEqualTypeOf<{ readonly a: number; readonly b: number }>();
  expectTypeOf<{ a: number }>().toExtend<InputOf<typeof m>>();
  expectTypeOf<{ b: number }>().not.toExtend<InputOf<typeof m>>();
  expect(m.decode(hex('01 02'), 0)).toEqual({ a: 1, b: 2 });
});
