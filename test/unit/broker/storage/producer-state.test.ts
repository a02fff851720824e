import { beforeEach, describe, expect, it } from 'vitest';
import type { PartitionLog } from '../../../../broker/storage/partition-log.ts';
import { ProducerMemory } from '../../../../broker/storage/producer-memory.ts';
import { ProducerStates } from '../../../../broker/storage/producer-states.ts';
import { DEFAULT_STORAGE_OPTIONS, type LogManager } from '../../../../broker/storage/log-manager.ts';
import { buildTransactionMarker } from '../../../../shared/records/transaction-marker.ts';
import { COMMIT_MARKER, TWO_RECORDS } from '../../shared/records/support.ts';
import { batchOf, filesIn, fixture, type Fixture, ordersLog, readAll } from './support.ts';

const DIR = '/data/orders-0';
const DAY = 86_400_000;

let f: Fixture;
let manager: LogManager;
let log: PartitionLog;

async function start(config: Parameters<typeof fixture>[0] = {}, seed = 1): Promise<void> {
  f = fixture(config, seed);
  await open();
}

async function open(): Promise<void> {
  manager = await f.open();
  log = ordersLog(manager);
}

beforeEach(() => start());

interface Sent {
  readonly id?: number;
  readonly epoch?: number;
  readonly seq: number;
  readonly count?: number;
  readonly baseOffset?: number;
  readonly timestamp?: number;
  readonly transactional?: boolean;
}

/** A producer's batch; its records say their sequences. */
function batch({ id = 1, epoch = 0, seq, count = 1, baseOffset, timestamp, transactional = false }: Sent): Buffer {
  const records = Array.from({ length: count }, (_, i) => ({
    value: `${id}/${epoch}/${seq + i}`,
    timestamp: timestamp ?? f.time.now(),
  }));
  return batchOf(records, {
    producerId: id,
    producerEpoch: epoch,
    baseSequence: seq,
    isTransactional: transactional,
    ...(baseOffset === undefined ? {} : { baseOffset }),
  });
}

function marker(coordinatorEpoch: number, { producerEpoch = 0 } = {}): Buffer {
  const content = { isCommit: true, coordinatorEpoch, timestamp: f.time.now() };
  return buildTransactionMarker({ producerId: 1, producerEpoch }, content);
}

function send(sent: Sent, to = log) {
  return to.appendAsLeader(batch(sent), 0);
}

/** The first offset that a produce is told, or the error. */
async function outcome(sent: Sent, to = log): Promise<number | string> {
  return send(sent, to).then(
    ({ firstOffset }) => firstOffset,
    (error: unknown) => (error as { kind: string }).kind,
  );
}

async function values(of = log): Promise<string[]> {
  return (await readAll(of)).map(({ value }) => value);
}

function snapshots(): number[] {
  return filesIn(f.fs, DIR)
    .filter(name => name.endsWith('.snapshot'))
    .map(name => Number.parseInt(name));
}

function producers(of = log) {
  return [...of.activeProducers()].map(({ producerId, epoch, lastSequence, lastOffset }) => ({
    producerId,
    epoch,
    lastSequence,
    lastOffset,
  }));
}

describe('a leader’s log', () => {
  it('answers what comes again with the offsets and the time of the first time, and appends nothing', async () => {
    const first = await send({ seq: 0, count: 3 });
    f.time.advance(5000);
    await send({ seq: 3, count: 2 });
    const again = await send({ seq: 0, count: 3 });
    expect(again).toMatchObject({ firstOffset: 0, lastOffset: 2, logAppendTime: first.maxTimestamp, validBytes: 0 });
    expect(await outcome({ seq: 3, count: 2 })).toBe(3);
    expect(log.logEndOffset).toBe(5);
    expect(await outcome({ seq: 5 })).toBe(5);
  });

  it('knows the last five batches, and nothing older', async () => {
    for (let n = 0; n < 7; n++) await send({ seq: n * 2, count: 2 });
    expect(await outcome({ seq: 2, count: 2 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    for (let n = 2; n < 7; n++) expect(await outcome({ seq: n * 2, count: 2 })).toBe(n * 2);
    expect(await outcome({ seq: 11, count: 2 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(log.logEndOffset).toBe(14);
  });

  it('takes the same batch twice in one turn for what it is', async () => {
    const outcomes = await Promise.all([
      outcome({ seq: 0, count: 2 }),
      outcome({ seq: 2 }),
      outcome({ seq: 0, count: 2 }),
      outcome({ seq: 4 }),
      outcome({ seq: 3 }),
    ]);
    expect(outcomes).toEqual([0, 2, 0, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 3]);
    expect(await values()).toEqual(['1/0/0', '1/0/1', '1/0/2', '1/0/3']);
  });

  it('answers a duplicate only when the first one is written', async () => {
    const first = send({ seq: 0 });
    const again = send({ seq: 0 }).then(() => log.logEndOffset);
    await first;
    expect(await again).toBe(1);
  });

  it('keeps producers, partitions’ epochs and plain batches apart', async () => {
    expect(await outcome({ id: 1, seq: 0 })).toBe(0);
    expect(await outcome({ id: 2, seq: 0 })).toBe(1);
    await log.appendAsLeader(batchOf(['plain']), 0);
    await log.appendAsLeader(batchOf(['plain']), 0);
    expect(await outcome({ id: 1, seq: 1 })).toBe(4);
    expect(await outcome({ id: 2, epoch: 1, seq: 0 })).toBe(5);
    expect(await outcome({ id: 2, epoch: 0, seq: 1 })).toBe('INVALID_PRODUCER_EPOCH');
    expect(await outcome({ id: 3, epoch: 5, seq: 42 })).toBe(6);
    expect(producers()).toEqual([
      { producerId: 1, epoch: 0, lastSequence: 1, lastOffset: 4 },
      { producerId: 2, epoch: 1, lastSequence: 0, lastOffset: 5 },
      { producerId: 3, epoch: 5, lastSequence: 42, lastOffset: 6 },
    ]);
  });

  it('wraps sequences around', async () => {
    const largest = 2 ** 31 - 1;
    expect(await outcome({ seq: largest - 1, count: 4 })).toBe(0);
    expect(await outcome({ seq: largest - 1, count: 4 })).toBe(0);
    expect(await outcome({ seq: 2 })).toBe(4);
  });

  it('takes the first batch of a transaction, and no other until it has ended', async () => {
    expect(await outcome({ seq: 0, transactional: true })).toBe(0);
    expect([...log.activeProducers()][0]).toMatchObject({ currentTxnFirstOffset: 0 });
    expect(await outcome({ seq: 1 })).toBe('INVALID_TXN_STATE');
    await log.appendAsLeader(marker(3), 0, { origin: 'coordinator' });
    expect(await outcome({ seq: 1 })).toBe(2);
  });

  it('checks epochs, not sequences, of what coordinators write', async () => {
    const coordinator = { origin: 'coordinator' as const };
    await log.appendAsLeader(batch({ seq: 0, transactional: true }), 0, coordinator);
    await log.appendAsLeader(batch({ seq: 0, transactional: true }), 0, coordinator);
    expect([...log.activeProducers()][0]).toMatchObject({ currentTxnFirstOffset: 0 });
    await log.appendAsLeader(marker(3, { producerEpoch: 1 }), 0, coordinator);
    expect([...log.activeProducers()][0]).toMatchObject({ epoch: 1, currentTxnFirstOffset: -1, coordinatorEpoch: 3 });
    await expect(log.appendAsLeader(marker(2, { producerEpoch: 1 }), 0, coordinator)).rejects.toMatchObject({
      kind: 'TRANSACTION_COORDINATOR_FENCED',
    });
    await expect(log.appendAsLeader(marker(3), 0, coordinator)).rejects.toMatchObject({
      kind: 'INVALID_PRODUCER_EPOCH',
    });
    expect(await outcome({ epoch: 1, seq: 5 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(await outcome({ epoch: 1, seq: 0 })).toBe(3);
  });

  it('does not remember a batch that it refused for another reason', async () => {
    f.config = { ...f.config, 'max.message.bytes': 200 };
    log.updateConfig(f.config);
    expect(await outcome({ seq: 0, count: 30 })).toBe('MESSAGE_TOO_LARGE');
    expect(await outcome({ seq: 0 })).toBe(0);
  });
});

describe('a follower’s log', () => {
  it('learns without checking, and fences as the next leader', async () => {
    await log.appendAsFollower(Buffer.concat([batch({ seq: 7, count: 2 }), batch({ seq: 20, baseOffset: 2 })]));
    expect(producers()).toEqual([{ producerId: 1, epoch: 0, lastSequence: 20, lastOffset: 2 }]);
    expect(await outcome({ seq: 7, count: 2 })).toBe(0);
    expect(await outcome({ seq: 21 })).toBe(3);
  });

  it('learns epochs from markers', async () => {
    await log.appendAsFollower(marker(3, { producerEpoch: 6 }));
    expect(await outcome({ epoch: 5, seq: 0 })).toBe('INVALID_PRODUCER_EPOCH');
    expect(await outcome({ epoch: 6, seq: 0 })).toBe(1);
  });

  it('writes the snapshot that Kafka writes, byte for byte', async () => {
    await log.truncateFullyAndStartAt(100);
    await log.appendAsFollower(Buffer.concat([TWO_RECORDS, COMMIT_MARKER]));
    await log.close();
    expect(snapshots()).toEqual([103]);
    const content = f.fs.readFile(`${DIR}/00000000000000000103.snapshot`).toString('hex');
    expect(content).toBe(
      '000195e330bb00000001' +
        '0000000000000fa1' +
        '0000' +
        '0000000b' +
        '0000000000000065' +
        '00000001' +
        '0000018bcfe56809' +
        '00000003' +
        'ffffffffffffffff',
    );
  });
});

describe('snapshots', () => {
  /** One batch a segment. */
  const small = { 'segment.bytes': 100 };

  it('are taken with each new segment, and go with theirs', async () => {
    await start(small);
    for (let seq = 0; seq < 4; seq++) await send({ seq });
    expect(snapshots()).toEqual([1, 2, 3]);
    log.updateHighWatermark(4);
    log.incrementLogStartOffset(2);
    await log.deleteOldSegments();
    expect(snapshots()).toEqual([2, 3]);
  });

  it('tell of what lies before the segment, not of what is to be written to it', async () => {
    await start(small);
    await Promise.all([0, 1, 2].map(seq => send({ seq })));
    f.fs.removeFileSync(`${DIR}/00000000000000000002.log`);
    f.fs.kill();
    log = ordersLog(await f.open());
    expect(log.logEndOffset).toBe(2);
    expect(producers()).toEqual([{ producerId: 1, epoch: 0, lastSequence: 1, lastOffset: 1 }]);
    expect(await outcome({ seq: 2 })).toBe(2);
  });

  it('taken at a shutdown spare the next start reading the log', async () => {
    for (let seq = 0; seq < 4; seq++) await send({ seq });
    await log.appendAsLeader(batchOf(['plain']), 0);
    await reopened('clean');
    expect(snapshots()).toEqual([5]);
    expect(await outcome({ seq: 3 })).toBe(3);
    // A snapshot has the last batch only; those before it are read from the end of the log.
    expect(await outcome({ seq: 2 })).toBe(2);
    expect(await outcome({ seq: 0 })).toBe(0);
    expect(await outcome({ seq: 4 })).toBe(5);
    await reopened('clean');
    expect(snapshots()).toEqual([6]);
  });

  it('that are not there after a clean shutdown are made, of nothing: older versions wrote none', async () => {
    await start(small);
    for (let seq = 0; seq < 4; seq++) await log.appendAsLeader(batchOf([String(seq)]), 0);
    await manager.shutdown();
    for (const offset of snapshots()) f.fs.removeFileSync(`${DIR}/${String(offset).padStart(20, '0')}.snapshot`);
    await open();
    expect(snapshots()).toEqual([2, 3, 4]);
    expect(producers()).toEqual([]);
  });

  it('that are damaged are dropped, and the log is read from an older one', async () => {
    await start(small);
    for (let seq = 0; seq < 4; seq++) await send({ seq });
    for (const damage of ['', 'damaged', '\0\x01']) {
      f.fs.writeFile(`${DIR}/00000000000000000003.snapshot`, damage);
      f.fs.writeFile(`${DIR}/00000000000000000004.snapshot`, damage);
      await reopened('killed');
      expect(producers()).toEqual([{ producerId: 1, epoch: 0, lastSequence: 3, lastOffset: 3 }]);
      expect(snapshots()).toEqual([1, 2, 3, 4]);
    }
  });

  it('of no segment are removed, except one taken at the end', async () => {
    await send({ seq: 0, count: 5 });
    for (const name of ['00000000000000000002', '00000000000000000003', '00000000000000000009']) {
      f.fs.writeFile(`${DIR}/${name}.snapshot`, 'stray');
    }
    await reopened('killed');
    expect(snapshots()).toEqual([5]);
    expect(producers()).toMatchObject([{ lastSequence: 4 }]);
  });

  async function reopened(how: 'clean' | 'killed') {
    if (how === 'killed') f.fs.kill();
    else await manager.shutdown();
    await open();
  }
});

describe('the state after a crash or a truncation', () => {
  it('is that of the log, whatever was lost', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      await start({ 'segment.bytes': 700, 'index.interval.bytes': 100 }, seed);
      for (let i = 0; i < 40; i++) {
        await send({ id: i % 3, epoch: Math.floor(i / 20), seq: Math.floor((i % 20) / 3) });
        if (i === seed % 40) await log.flush();
      }
      if (seed % 2 === 0) f.fs.crash();
      else f.fs.kill();
      log = ordersLog(await f.open());
      expect(producers().sort(byId), `seed ${seed}`).toEqual(expectedProducers(log.logEndOffset));
      if (log.logEndOffset > 3) {
        const cutTo = seed % log.logEndOffset;
        await log.truncateTo(cutTo);
        expect(producers().sort(byId), `seed ${seed}, cut to ${cutTo}`).toEqual(expectedProducers(cutTo));
        expect(snapshots().every(offset => offset <= cutTo)).toBe(true);
      }
    }
  });

  const byId = (a: { producerId: number }, b: { producerId: number }) => a.producerId - b.producerId;

  /** Of the first `count` batches above. */
  function expectedProducers(count: number) {
    const expected = new Map<number, ReturnType<typeof producers>[number]>();
    for (let i = 0; i < count; i++) {
      const [producerId, epoch, lastSequence] = [i % 3, Math.floor(i / 20), Math.floor((i % 20) / 3)];
      expected.set(producerId, { producerId, epoch, lastSequence, lastOffset: i });
    }
    return [...expected.values()].sort(byId);
  }

  it('takes what was cut off for new when it comes again', async () => {
    await send({ seq: 0 });
    await send({ seq: 1 });
    await log.truncateTo(1);
    expect(await outcome({ seq: 1 })).toBe(1);
    expect(await values()).toEqual(['1/0/0', '1/0/1']);
  });

  it('knows the last five batches again after a crash, as they were read', async () => {
    for (let seq = 0; seq < 6; seq++) await send({ seq });
    f.fs.kill();
    log = ordersLog(await f.open());
    expect(await outcome({ seq: 1 })).toBe(1);
    expect(await outcome({ seq: 0 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
  });

  it('knows batches from before a roll again, however the broker ended', async () => {
    for (const how of ['clean', 'killed']) {
      await start({ 'segment.bytes': 100 });
      for (let seq = 0; seq < 7; seq++) await send({ seq });
      if (how === 'clean') await manager.shutdown();
      else f.fs.kill();
      await open();
      for (let seq = 2; seq < 7; seq++) expect(await outcome({ seq }), how).toBe(seq);
      expect(await outcome({ seq: 1 }), how).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
      expect(await outcome({ seq: 7 }), how).toBe(7);
    }
  });

  it('takes no batches of an epoch that is over for those of the present one', async () => {
    for (let seq = 0; seq < 3; seq++) await send({ seq });
    await send({ epoch: 1, seq: 0 });
    await manager.shutdown();
    await open();
    expect(await outcome({ epoch: 1, seq: 0 })).toBe(3);
    expect(await outcome({ seq: 2 })).toBe('INVALID_PRODUCER_EPOCH');
  });

  it('knows open transactions and markers again', async () => {
    const coordinator = { origin: 'coordinator' as const };
    await log.appendAsLeader(batch({ seq: 0, transactional: true }), 0, coordinator);
    await log.appendAsLeader(marker(8), 0, coordinator);
    await log.appendAsLeader(batch({ seq: 1, transactional: true }), 0, coordinator);
    for (const [cutTo, open] of [
      [3, 2],
      [2, -1],
      [1, 0],
    ] as const) {
      await log.truncateTo(cutTo);
      expect([...log.activeProducers()][0]).toMatchObject({ currentTxnFirstOffset: open });
      f.fs.kill();
      log = ordersLog(await f.open());
      expect([...log.activeProducers()][0]).toMatchObject({
        currentTxnFirstOffset: open,
        coordinatorEpoch: cutTo > 1 ? 8 : -1,
      });
    }
  });

  it('is empty when the log begins anew', async () => {
    await send({ seq: 0 });
    await log.truncateFullyAndStartAt(50);
    expect(producers()).toEqual([]);
    expect(snapshots()).toEqual([]);
    await log.close();
    expect(snapshots()).toEqual([]);
  });

  it('survives the deletion of old segments (KIP-360)', async () => {
    await start({ 'segment.bytes': 100 });
    for (let seq = 0; seq < 3; seq++) await send({ seq });
    log.updateHighWatermark(3);
    log.incrementLogStartOffset(3);
    await log.deleteOldSegments();
    expect(await outcome({ seq: 2 })).toBe(2);
    expect(await outcome({ seq: 3 })).toBe(3);
    f.fs.kill();
    log = ordersLog(await f.open());
    expect(await outcome({ seq: 4 })).toBe(4);
  });
});

describe('expiry', () => {
  it('forgets producers by their last timestamp, at the interval, unless a transaction is open', async () => {
    await fixtureWith({ producerExpirationMs: () => 1000, producerExpirationCheckIntervalMs: 100 });
    await send({ id: 1, seq: 0 });
    await log.appendAsLeader(batch({ id: 2, seq: 0, transactional: true }), 0, { origin: 'coordinator' });
    f.time.advance(500);
    await send({ id: 3, seq: 0 });
    f.time.advance(DEFAULT_STORAGE_OPTIONS.initialTaskDelayMs);
    await new Promise(setImmediate);
    expect(producers().map(({ producerId }) => producerId)).toEqual([2]);
    expect(manager.producerCount).toBe(1);
    expect(await outcome({ id: 1, seq: 77 })).toBe(3);
  });

  it('leaves those who wrote lately', async () => {
    await fixtureWith({ producerExpirationMs: () => 40_000, producerExpirationCheckIntervalMs: 100 });
    await send({ id: 1, seq: 0 });
    f.time.advance(39_999);
    expect(producers()).toHaveLength(1);
    f.time.advance(200);
    await new Promise(setImmediate);
    expect(producers()).toHaveLength(0);
  });

  it('also counts when a snapshot is read', async () => {
    await send({ id: 1, seq: 0 });
    await send({ id: 2, seq: 0, timestamp: f.time.now() + DAY });
    await manager.shutdown();
    f.time.advance(DAY);
    await open();
    expect(producers().map(({ producerId }) => producerId)).toEqual([2]);
  });

  async function fixtureWith(options: Partial<typeof DEFAULT_STORAGE_OPTIONS>) {
    f = fixture();
    manager = await f.open({ options: { ...DEFAULT_STORAGE_OPTIONS, ...options } });
    log = ordersLog(manager);
  }
});

describe('memory', () => {
  it('is bounded: the log with the most producers forgets those that wrote the longest time ago', () => {
    const memory = new ProducerMemory(100);
    const flooded = new ProducerStates(memory);
    const quiet = new ProducerStates(memory);
    const write = (to: ProducerStates, id: number, seq = 0) => to.apply(batch({ id, seq }), 0);
    for (let id = 0; id < 10; id++) write(quiet, id);
    for (let id = 0; id < 1000; id++) {
      write(flooded, id);
      // This one keeps writing.
      write(flooded, 5000, id);
      expect(memory.count).toBeLessThanOrEqual(100);
    }
    expect(quiet.size).toBe(10);
    expect(flooded.get(5000)?.lastSequence).toBe(999);
    expect(flooded.get(999)).toBeDefined();
    expect(flooded.get(0)).toBeUndefined();
    flooded.close();
    expect(memory.count).toBe(10);
  });
});
