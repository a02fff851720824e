import { describe, expect, test } from 'vitest';
import { MESSAGE_VERSIONS, readGoldenBytes } from '../../../support/golden-bytes.ts';

/** What Apache Kafka's codec has written (test/conformance/golden-bytes.test.ts) is what ours writes, and reads. */
const golden = new Map(readGoldenBytes().map(line => [`${line.message} v${line.version}`, line]));

describe.each(MESSAGE_VERSIONS)('$name', ({ name, message, version }) => {
  test("is as Apache Kafka's client encodes it", () => {
    const line = golden.get(name);
    expect(line, '`npm run golden-bytes` writes down what is missing').toBeDefined();
    const { json, hex } = line!;
    expect(Buffer.concat(message.encode(message.fromJson(json, version), version)).toString('hex')).toBe(hex);
    expect(message.toJson(message.decode(Buffer.from(hex, 'hex'), version) as object, version)).toEqual(json);
  });
});
