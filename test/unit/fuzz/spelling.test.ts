import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALL_APIS } from '../../support/all-apis.ts';
import { arbitraryMessage } from '../../support/arbitrary-message.ts';
import { runs } from '../../support/property-runs.ts';
import { spell } from '../../fuzz/spelling.ts';

/** Mutations start from what is right: were the spelling wrong, nothing would get past the first field. */
test.each(ALL_APIS.map(api => [api.name, api] as const))(
  '%s is spelled as it is encoded',
  (_, { request, flexibleSince }) => {
    for (let version = request.versions.min; version <= request.versions.max; version++) {
      const isFlexible = flexibleSince !== null && version >= flexibleSince;
      fc.assert(
        fc.property(arbitraryMessage(request.fields, version), value => {
          const pieces = spell(request.fields, value, version, isFlexible).map(({ bytes }) => bytes);
          expect(Buffer.concat(pieces).toString('hex')).toBe(
            Buffer.concat(request.encode(value, version)).toString('hex'),
          );
        }),
        runs(10),
      );
    }
  },
);
