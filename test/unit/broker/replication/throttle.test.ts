import { describe, expect, test } from 'vitest';
import { ReplicationQuota } from '../../../../broker/replication/replication-quota.ts';
import { VirtualTime } from '../../../support/virtual-time.ts';
import { ReplicationCluster } from './support.ts';

describe('the quota', () => {
  async function quotaOf(limit: { bytes: number }) {
    const time = new VirtualTime();
    return { time, quota: new ReplicationQuota(time, { samples: 3, sampleMs: 1000 }, () => limit.bytes) };
  }

  test('is exceeded after a transfer, until the rate over the window is below the limit', async () => {
    const { time, quota } = await quotaOf({ bytes: 100 });
    expect(quota.isExceeded).toBe(false);
    quota.record(250);
    expect(quota.bytesPerSecond).toBe(250);
    expect(quota.isExceeded).toBe(true);
    await time.advance(2400);
    expect(quota.isExceeded).toBe(true);
    await time.advance(200);
    expect(quota.isExceeded).toBe(false);
  });

  test('forgets what is older than the window, and counts within a sample', async () => {
    const { time, quota } = await quotaOf({ bytes: 100 });
    quota.record(60);
    quota.record(60);
    expect(quota.bytesPerSecond).toBe(120);
    await time.advance(1500);
    quota.record(600);
    expect(quota.bytesPerSecond).toBeCloseTo(480);
    await time.advance(1500);
    expect(quota.bytesPerSecond).toBeCloseTo(400);
    await time.advance(1500);
    expect(quota.bytesPerSecond).toBe(0);
  });

  test('changes while it is in force, and may be none', async () => {
    const limit = { bytes: Number.MAX_SAFE_INTEGER };
    const { quota } = await quotaOf(limit);
    quota.record(1e9);
    expect([quota.isLimited, quota.isExceeded]).toEqual([false, false]);
    limit.bytes = 0;
    expect([quota.isLimited, quota.isExceeded]).toEqual([true, true]);
  });
});

const RECORD = 'x'.repeat(10_000);
const RECORDS = 40;
/** In bytes a second: the 40 records take 20 seconds. */
const RATE = '20000';

/** Brokers 1 and 2 in sync, with 400 kB; 3 is about to be added. */
async function beforeCopying(): Promise<ReplicationCluster> {
  const cluster = await ReplicationCluster.start([1, 2, 3], { 'replica.fetch.max.bytes': '20000' });
  await cluster.elect(1, { replicas: [1, 2] });
  for (let i = 0; i < RECORDS; i++) await cluster.during(cluster.broker(1).produce([RECORD], { acks: -1 }));
  return cluster;
}

/** @returns virtual milliseconds until broker 3 has everything */
async function copy(cluster: ReplicationCluster): Promise<number> {
  const start = cluster.time.monotonic();
  await cluster.elect(1, { replicas: [1, 2, 3], adding: [3] });
  await cluster.time.until('3 has everything', () => cluster.broker(3).log().logEndOffset >= RECORDS, 120_000);
  return cluster.time.monotonic() - start;
}

function throttle(cluster: ReplicationCluster, role: 'leader' | 'follower', replicas: readonly string[]): void {
  cluster.config = { ...cluster.config, [`${role}.replication.throttled.replicas`]: replicas };
  for (const { config, logs } of cluster.brokers.values()) {
    config.setDynamic('broker', { [`${role}.replication.throttled.rate`]: RATE });
    logs.updateAllTopicConfigs();
  }
}

describe('copying to a new replica', () => {
  test('is quick without a throttle, or with one for other replicas', async () => {
    expect(await copy(await beforeCopying())).toBeLessThan(3000);
    const cluster = await beforeCopying();
    throttle(cluster, 'leader', ['0:2', '1:1']);
    throttle(cluster, 'follower', ['0:1', '1:3']);
    expect(await copy(cluster)).toBeLessThan(3000);
  });

  test.each([
    ['leader', ['0:1']],
    ['leader', ['*']],
    ['follower', ['0:3']],
  ] as const)('takes its time with one for the %s: %j; those in sync go on as before', async (role, replicas) => {
    const cluster = await beforeCopying();
    throttle(cluster, role, replicas);
    const copying = copy(cluster);
    await cluster.time.advance(2000);
    const before = cluster.time.monotonic();
    await cluster.during(cluster.broker(1).produce(['in between'], { acks: -1 }));
    expect(cluster.time.monotonic() - before).toBeLessThan(1000);
    expect(cluster.broker(3).log().logEndOffset).toBeLessThan(RECORDS);
    const tookMs = await cluster.during(copying, 120_000);
    expect(tookMs).toBeGreaterThan(12_000);
    expect(tookMs).toBeLessThan(30_000);
  });

  test('goes on at once when the throttle is lifted', async () => {
    const cluster = await beforeCopying();
    throttle(cluster, 'follower', ['0:3']);
    const copying = copy(cluster);
    await cluster.time.advance(5000);
    expect(cluster.broker(3).log().logEndOffset).toBeLessThan(RECORDS);
    for (const { config } of cluster.brokers.values()) config.setDynamic('broker', {});
    const lifted = cluster.time.monotonic();
    await cluster.during(copying);
    expect(cluster.time.monotonic() - lifted).toBeLessThan(3000);
  });
});
