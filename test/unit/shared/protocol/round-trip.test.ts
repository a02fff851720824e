import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { API_KEYS } from '../../../../shared/protocol/api-keys.ts';
import { ProtocolError } from '../../../../shared/protocol/errors.ts';
import type { Message } from '../../../../shared/protocol/message.ts';
import { ALL_APIS } from '../../../support/all-apis.ts';
import { arbitraryMessage } from '../../../support/arbitrary-message.ts';
import { runs } from '../../../support/property-runs.ts';

const messages: Message[] = ALL_APIS.flatMap(api => [api.request, api.response]);
const cases = messages.flatMap(message =>
  Array.from({ length: message.versions.max - message.versions.min + 1 }, (_, i) => ({
    name: `${message.name} v${message.versions.min + i}`,
    message,
    version: message.versions.min + i,
  })),
);

/** Decodes, and lets nothing but a ProtocolError pass. */
function decodesOrRefuses(message: Message, bytes: Buffer, version: number): void {
  try {
    message.decode(bytes, version);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

describe.each(cases)('$name', ({ message, version }) => {
  const values = arbitraryMessage(message.fields, version);

  test('decodes what it encodes, in binary and in JSON', () => {
    fc.assert(
      fc.property(values, value => {
        const bytes = Buffer.concat(message.encode(value, version));
        expect(message.decode(bytes, version)).toEqual(value);
        expect(message.encodedSize(value, version)).toBe(bytes.length);
        const json: unknown = JSON.parse(JSON.stringify(message.toJson(value, version)));
        expect(message.fromJson(json, version)).toEqual(value);
      }),
      runs(25),
    );
  });

  test('any truncation is a ProtocolError, never a crash or a wrong value taken for right', () => {
    fc.assert(
      fc.property(values, value => {
        const bytes = Buffer.concat(message.encode(value, version));
        for (let length = 0; length < Math.min(bytes.length, 300); length++) {
          try {
            message.decode(bytes.subarray(0, length), version);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
            continue;
          }
          expect.fail(`${length} of ${bytes.length} bytes were taken for a whole message`);
        }
      }),
      runs(3),
    );
  });

  test('flipped bytes are another message or a ProtocolError', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(values, flips, (value, changes) => {
        const bytes = Buffer.concat(message.encode(value, version));
        if (bytes.length === 0) return;
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        decodesOrRefuses(message, bytes, version);
      }),
      runs(25),
    );
  });

  test('random bytes are a message or a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), noise => decodesOrRefuses(message, Buffer.from(noise), version)),
      runs(50),
    );
  });
});

test('the table of keys agrees with the message tables', () => {
  for (const api of ALL_APIS) {
    expect(API_KEYS.get(api.key)).toEqual({ name: api.name, flexibleSince: api.flexibleSince });
  }
});
