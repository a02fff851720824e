import { api } from '../api.ts';
import { array, bool, int16, int32, int64, string } from '../schema.ts';

/** Tells a broker's log directories and what is in them (KIP-113); topics null = all. */
export const DescribeLogDirs = api({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [0, 4],
  flexibleSince: 2,
  request: {
    topics: array({ topic: string(), partitions: array(int32()) }, { nullable: 0 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ since: 3, ignorable: true }),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          partitionSize: int64(),
          offsetLag: int64(),
          isFutureKey: bool(),
        }),
      }),
      totalBytes: int64({ since: 4, default: -1, ignorable: true }),
      usableBytes: int64({ since: 4, default: -1, ignorable: true }),
    }),
  },
});
