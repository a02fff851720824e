import { api } from '../api.ts';
import { array, bool, int16, int32, int64, string } from '../schema.ts';

/** What a broker can do. Its response always has the oldest header: the asker does not know yet what is understood (KIP-511). */
export const ApiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexibleSince: 3,
  toleratesTrailing: true,
  request: {
    clientSoftwareName: string({ since: 3, ignorable: true }),
    clientSoftwareVersion: string({ since: 3, ignorable: true }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array({ apiKey: int16(), minVersion: int16(), maxVersion: int16() }),
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    supportedFeatures: array(
      { name: string(), minVersion: int16(), maxVersion: int16() },
      { since: 3, tag: 0, ignorable: true },
    ),
    finalizedFeaturesEpoch: int64({ since: 3, tag: 1, default: -1, ignorable: true }),
    finalizedFeatures: array(
      { name: string(), maxVersionLevel: int16(), minVersionLevel: int16() },
      { since: 3, tag: 2, ignorable: true },
    ),
    zkMigrationReady: bool({ since: 3, tag: 3, default: false, ignorable: true }),
  },
});
