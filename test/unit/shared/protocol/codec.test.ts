import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../../../shared/protocol/errors.ts';
import type { Message } from '../../../../shared/protocol/message.ts';
import { allApis, allVersions } from './all-apis.ts';
import { decodedOf } from './arbitrary.ts';

const cases = allVersions.map(({ message, version }) => [`${message.name} v${version}`, message, version] as const);

function sample(message: Message, version: number, seed: number): Buffer {
  const [value] = fc.sample(decodedOf(message.fields, version), { numRuns: 1, seed });
  return Buffer.concat(message.encode(value, version));
}

/** Decodes, and lets nothing but a ProtocolError out. */
function decodesOrRefuses(message: Message, bytes: Buffer, version: number): void {
  try {
    message.decode(bytes, version);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

describe('every message in every version', () => {
  it('is there at all', () => {
    expect(allApis.map(api => api.name).sort()).toEqual([
      'AlterPartition',
      'ApiVersions',
      'ControlledShutdown',
      'CreatePartitions',
      'CreateTopics',
      'DeleteTopics',
      'DescribeCluster',
      'DescribeConfigs',
      'ElectLeaders',
      'Fetch',
      'IncrementalAlterConfigs',
      'LeaderAndIsr',
      'ListOffsets',
      'Metadata',
      'OffsetForLeaderEpoch',
      'Produce',
      'StopReplica',
      'UpdateMetadata',
    ]);
  });

  it.each(cases)('%s decodes what it encoded', (_, message, version) => {
    fc.assert(
      fc.property(decodedOf(message.fields, version), value => {
        const encoded = Buffer.concat(message.encode(value, version));
        deepStrictEqual(message.decode(encoded, version), value);
        expect(message.encodedSize(value, version)).toBe(encoded.length);
      }),
      { numRuns: 30 },
    );
  });

  it.each(cases)('%s survives the way through JSON text', (_, message, version) => {
    fc.assert(
      fc.property(decodedOf(message.fields, version), value => {
        const text = JSON.stringify(message.toJson(value, version));
        deepStrictEqual(message.fromJson(JSON.parse(text), version), value);
      }),
      { numRuns: 15 },
    );
  });

  it.each(cases)('%s refuses to end early, wherever it is cut', (_, message, version) => {
    for (let seed = 1; seed <= 3; seed++) {
      const whole = sample(message, version, seed);
      for (let length = 0; length < whole.length; length += length < 300 ? 1 : 37) {
        expect(() => message.decode(whole.subarray(0, length), version), `seed ${seed}, ${length} bytes`).toThrow(
          ProtocolError,
        );
      }
    }
  });

  it.each(cases)('%s meets flipped bytes with a value or a ProtocolError', (_, message, version) => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.nat({ max: 1000 }), flips, (seed, changes) => {
        const bytes = sample(message, version, seed);
        if (bytes.length === 0) return;
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        decodesOrRefuses(message, bytes, version);
      }),
      { numRuns: 30 },
    );
  });

  it.each(cases)('%s meets noise with a value or a ProtocolError', (_, message, version) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), noise => decodesOrRefuses(message, Buffer.from(noise), version)),
      { numRuns: 30 },
    );
  });
});
