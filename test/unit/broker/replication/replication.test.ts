import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { readAll } from '../storage/support.ts';
import { ReplicationCluster } from './support.ts';

describe('replication', () => {
  test('an acks=all produce is answered when all in-sync replicas have the records, and all have the same', async () => {
    const cluster = await ReplicationCluster.start([1, 2, 3]);
    await cluster.elect(1);
    const result = await cluster.during(cluster.broker(1).produce(['a', 'b'], { acks: -1 }), 2000);
    expect(result).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 0 });
    for (const id of [1, 2, 3]) {
      expect(await readAll(cluster.broker(id).log())).toEqual([
        { offset: 0, value: 'a' },
        { offset: 1, value: 'b' },
      ]);
    }
    expect(cluster.broker(1).log().highWatermark).toBe(2);
    await cluster.time.until('followers hear of it', () =>
      [2, 3].every(id => cluster.broker(id).log().highWatermark === 2),
    );
  });
});
