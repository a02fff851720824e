import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_STORAGE_OPTIONS, LogManager } from '../../broker/storage/log-manager.ts';
import type { PartitionLog } from '../../broker/storage/partition-log.ts';
import { BatchBuilder } from '../../shared/records/batch-builder.ts';
import { buildTransactionMarker } from '../../shared/records/transaction-marker.ts';
import { systemClock, systemTimers } from '../../shared/runtime/clock.ts';
import { silentLogger } from '../../shared/runtime/logger.ts';
import { systemRandom } from '../../shared/runtime/random.ts';
import { realFileSystem } from '../../shared/runtime/real-file-system.ts';
import { BUILT_IN_TOPIC_CONFIG } from '../../shared/topics/topic-config.ts';
import { absenceOf, apacheTool, whereAbsent } from '../support/apache-kafka.ts';
import { tool, type Outcome } from '../support/run.ts';

/** Apache's kafka-dump-log is the judge of what transactions leave on disk, and of what ours prints. */

const PRODUCERS = [4001, 4002, 4003];

let directory: string;

async function openLog(): Promise<{ manager: LogManager; log: PartitionLog }> {
  const manager = await LogManager.open({
    fs: realFileSystem,
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    logger: silentLogger,
    directories: [directory],
    options: DEFAULT_STORAGE_OPTIONS,
    topicConfig: () => ({ ...BUILT_IN_TOPIC_CONFIG, 'segment.bytes': 1500, 'index.interval.bytes': 200 }),
    brokerId: 1,
    clusterId: 'oVf2zRjJQIupaA0fXAUBLw',
    onDirectoryFailure: () => {},
  });
  return { manager, log: manager.getOrCreateLog('orders', 0, { topicId: null, isNew: true }) };
}

/** Transactions of three producers, one in the other, of which each third is aborted; the last ones stay open. */
async function write(log: PartitionLog): Promise<void> {
  const sequences = new Map<number, number>();
  for (let i = 0; i < 60; i++) {
    const producerId = PRODUCERS[i % PRODUCERS.length]!;
    const baseSequence = sequences.get(producerId) ?? 0;
    sequences.set(producerId, baseSequence + 1);
    const builder = new BatchBuilder();
    builder.append(Date.now(), Buffer.from(`k${i}`), Buffer.from(`value ${i}`));
    const numbers = { producerId, producerEpoch: 1, baseSequence, isTransactional: true };
    await log.appendAsLeader(builder.build(numbers), 0);
    if (i % 4 === 2 && i < 55) await end(log, producerId, i % 3 !== 0, i);
  }
}

async function end(log: PartitionLog, producerId: number, isCommit: boolean, coordinatorEpoch: number): Promise<void> {
  const content = { isCommit, coordinatorEpoch, timestamp: Date.now() };
  const marker = buildTransactionMarker({ producerId, producerEpoch: 1 }, content);
  await log.appendAsLeader(marker, 0, { origin: 'coordinator' });
  log.updateHighWatermark(log.logEndOffset);
}

function files(extension: string): string {
  const folder = join(directory, 'orders-0');
  const names = readdirSync(folder).filter(name => name.endsWith(extension));
  return names
    .sort()
    .map(name => join(folder, name))
    .join(',');
}

async function printed(outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  expect([code, stderr], stdout).toEqual([0, '']);
  return stdout;
}

describe.skipIf(absenceOf('3.9') !== null)(whereAbsent('3.9', 'transactions on disk'), () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'samsa-transactions-'));
    const { manager, log } = await openLog();
    await write(log);
    await manager.shutdown();
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test.each([
    ['.txnindex', /version: 0 producerId: 400\d firstOffset: \d+ lastOffset: \d+ lastStableOffset: \d+/g, 3],
    ['.snapshot', /producerId: 400\d producerEpoch: 1 coordinatorEpoch: \d+ currentTxnFirstOffset: \S*\d/g, 3],
    ['.log', /endTxnMarker: (COMMIT|ABORT) coordinatorEpoch: \d+/g, 10],
  ])('Apache’s kafka-dump-log reads %s files, and ours prints the same', async (extension, line, least) => {
    const args = ['--deep-iteration', '--files', files(extension)];
    const apache = await printed(apacheTool('3.9', 'kafka.tools.DumpLogSegments', args));
    expect(apache.match(line)?.length).toBeGreaterThanOrEqual(least);
    expect(await printed(tool('kafka-dump-log', args))).toBe(apache);
  });
});
