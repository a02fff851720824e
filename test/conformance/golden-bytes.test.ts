import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeRequestFrame, encodeResponseFrame } from '../../shared/protocol/headers.ts';
import type { Json } from '../../shared/protocol/json.ts';
import type { Message } from '../../shared/protocol/message.ts';
import { ALL_APIS } from '../support/all-apis.ts';
import { arbitraryMessage } from '../support/arbitrary-message.ts';
import { MESSAGE_VERSIONS, readGoldenBytes, writeGoldenBytes, type GoldenBytes } from '../support/golden-bytes.ts';
import { runs } from '../support/property-runs.ts';
import { JAVA_ABSENCE, JavaCodec } from './java-codec.ts';

/**
 * Every message in every version, encoded by us and by Apache Kafka's client from the same values: a wrong table agrees
 * with itself, and with nobody else. `npm run golden-bytes` writes some of it down for where there is no Java.
 */

const RUNS = 15;
/** What is written down has at most so many bytes. */
const GOLDEN_MAX_BYTES = 120;

describe.skipIf(existsSync(JAVA_ABSENCE))("Apache Kafka's codec", () => {
  let java: JavaCodec;

  beforeAll(() => {
    java = new JavaCodec();
  });

  afterAll(() => {
    java.close();
  });

  const jsonOf = (message: Message, value: object, version: number) =>
    JSON.parse(JSON.stringify(message.toJson(value, version))) as Json;

  test.each(MESSAGE_VERSIONS)('$name: the same bytes', async ({ message, version }) => {
    await fc.assert(
      fc.asyncProperty(arbitraryMessage(message.fields, version), async value => {
        const theirs = await java.encode(message.name, version, jsonOf(message, value, version));
        expect(Buffer.concat(message.encode(value, version)).toString('hex')).toBe(theirs.toString('hex'));
        expect(message.decode(theirs, version)).toEqual(value);
      }),
      runs(RUNS),
    );
  });

  test.each(ALL_APIS.map(api => [api.name, api] as const))('%s: the same headers in every version', async (_, api) => {
    for (let version = api.versions.min; version <= api.versions.max; version++) {
      const theirs = await java.headers(api.key, version, 7, 'me');
      const least = fc.sample(arbitraryMessage(api.request.fields, version), { numRuns: 1, seed: 1 })[0]!;
      const body = api.request.encodedSize(least, version);
      const request = Buffer.concat(encodeRequestFrame(api, version, 7, 'me', least));
      const response = Buffer.concat(encodeResponseFrame(api, version, 7, []));
      const ours = Buffer.concat([request.subarray(4, request.length - body), response.subarray(4)]);
      expect(ours.toString('hex'), `version ${version}`).toBe(theirs.toString('hex'));
    }
  });

  test('what is written down is what it says', async () => {
    if (process.env['GOLDEN_BYTES'] === 'write') writeGoldenBytes(await chosen());
    for (const { message, version, json, hex } of readGoldenBytes()) {
      expect((await java.encode(message, version, json)).toString('hex')).toBe(hex);
    }
  });

  /** Of some values of each message and version the one that has most to say, within the limit. */
  async function chosen(): Promise<GoldenBytes[]> {
    const all: GoldenBytes[] = [];
    for (const { message, version } of MESSAGE_VERSIONS) {
      const values = fc.sample(arbitraryMessage(message.fields, version), { numRuns: 60, seed: 20 + version });
      const sized = values.map(value => ({ value, size: message.encodedSize(value, version) }));
      sized.sort((a, b) => a.size - b.size);
      const { value } = sized.findLast(({ size }) => size <= GOLDEN_MAX_BYTES) ?? sized[0]!;
      const json = jsonOf(message, value, version);
      const hex = (await java.encode(message.name, version, json)).toString('hex');
      all.push({ message: message.name, version, json, hex });
    }
    return all;
  }
});
