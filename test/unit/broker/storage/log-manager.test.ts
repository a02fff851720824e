import { describe, expect, it } from 'vitest';
import { type StorageError, StorageStartupError } from '../../../../broker/storage/errors.ts';
import { DEFAULT_STORAGE_OPTIONS } from '../../../../broker/storage/log-manager.ts';
import { batchOf, filesIn, fixture, ordersLog, readAll, TOPIC_ID } from './support.ts';

const MARKER = '/data/.kafka_cleanshutdown';
const BOTH = { directories: ['/a', '/b'] };
const nextTurn = () => new Promise(resolve => setImmediate(resolve));

function failing(kind: string) {
  return expect.objectContaining({ name: 'StorageError', kind }) as StorageError;
}

describe('start and stop', () => {
  it('leaves a marker after a clean shutdown, which the next start takes away', async () => {
    const f = fixture();
    const manager = await f.open();
    expect(f.fs.exists(MARKER)).toBe(false);
    await manager.shutdown();
    expect(JSON.parse(f.fs.readFile(MARKER).toString())).toEqual({ version: 0, brokerEpoch: -1 });
    await f.open();
    expect(f.fs.exists(MARKER)).toBe(false);
  });

  it('leaves no marker when the directory failed, in loading or in closing', async () => {
    const f = fixture();
    let manager = await f.open();
    await ordersLog(manager).appendAsLeader(batchOf(['a']), 0);
    f.fs.inject({ operation: 'sync', path: /\.log$/, code: 'EIO' });
    await manager.shutdown();
    expect(f.fs.exists(MARKER)).toBe(false);

    f.fs.kill();
    f.fs.inject({ operation: 'read', path: /\.log$/, code: 'EIO' });
    await expect(f.open()).rejects.toBeInstanceOf(StorageStartupError);
    f.fs.kill();
    manager = await f.open();
    expect(await readAll(ordersLog(manager))).toHaveLength(1);
  });

  it('does not recover after a clean shutdown', async () => {
    const f = fixture();
    const manager = await f.open();
    await ordersLog(manager).appendAsLeader(batchOf(['a', 'b']), 0);
    await manager.shutdown();
    const path = '/data/orders-0/00000000000000000000.log';
    const bytes = f.fs.readFile(path);
    bytes[70]! ^= 1;
    f.fs.writeFile(path, bytes);
    expect(ordersLog(await f.open()).logEndOffset).toBe(2);
  });

  it('keeps high watermark, log start and recovery point', async () => {
    const f = fixture();
    let manager = await f.open();
    const log = ordersLog(manager);
    for (const value of 'abcde') await log.appendAsLeader(batchOf([value]), 0);
    log.updateHighWatermark(4);
    log.incrementLogStartOffset(2);
    await manager.checkpointHighWatermarks();
    f.time.advance(60_000);
    await expect.poll(() => f.fs.exists('/data/log-start-offset-checkpoint')).toBe(true);
    expect(f.fs.readFile('/data/replication-offset-checkpoint').toString()).toBe('0\n1\norders 0 4\n');
    expect(f.fs.readFile('/data/log-start-offset-checkpoint').toString()).toBe('0\n1\norders 0 2\n');
    expect(f.fs.readFile('/data/recovery-point-offset-checkpoint').toString()).toBe('0\n1\norders 0 2\n');
    f.fs.kill();
    manager = await f.open();
    expect(ordersLog(manager)).toMatchObject({ logStartOffset: 2, highWatermark: 4, logEndOffset: 5 });
    await manager.shutdown();
    expect(f.fs.readFile('/data/recovery-point-offset-checkpoint').toString()).toBe('0\n1\norders 0 5\n');
  });

  it('goes on without a checkpoint that is damaged', async () => {
    const f = fixture();
    const manager = await f.open();
    await ordersLog(manager).appendAsLeader(batchOf(['a']), 0);
    await manager.shutdown();
    for (const name of ['recovery-point', 'log-start', 'replication']) {
      f.fs.writeFile(`/data/${name}-offset-checkpoint`, '0\n5\norders');
    }
    expect(ordersLog(await f.open())).toMatchObject({ logEndOffset: 1, highWatermark: 0 });
  });
});

describe('a log directory', () => {
  it('can be used by one broker at a time', async () => {
    const f = fixture();
    const manager = await f.open();
    await expect(f.open()).rejects.toThrow(/\/data is in use by another broker/);
    await manager.shutdown();
    await f.open();
  });

  it('belongs to one broker of one cluster', async () => {
    const f = fixture();
    await (await f.open()).shutdown();
    expect(f.fs.readFile('/data/meta.properties').toString()).toContain('broker.id=1\n');
    await expect(f.open({ brokerId: 2 })).rejects.toThrow(/belongs to broker 1, but this broker's id is 2/);
    await expect(f.open({ clusterId: 'other' })).rejects.toThrow(/belongs to cluster oVf2zRjJQIupaA0fXAUBLw/);
    f.fs.writeFile('/data/meta.properties', 'version=1\nnode.id=1\ncluster.id=x\n');
    await expect(f.open()).rejects.toThrow(/version 1/);
    f.fs.writeFile('/data/meta.properties', '#\n#Fri Oct 25 03:33:01 UTC 2024\nbroker.id = 1\ndirectory.id=abc\n');
    await f.open();
  });

  it('may not be listed twice, nor hold what is no log', async () => {
    const f = fixture();
    await expect(f.open({ directories: ['/a', '/b/', '/a/'] })).rejects.toThrow(/\/a is listed twice/);
    f.fs.makeDirectory('/data/lost+found');
    await expect(f.open()).rejects.toThrow(/lost\+found is no log/);
    f.fs.removeFileSync('/data/lost+found');
    f.fs.writeFile('/data/some-file', '');
    f.fs.makeDirectory('/data/orders-0.0123456789abcdef0123456789abcdef-future');
    expect((await f.open()).allLogs()).toEqual([]);
  });

  it('may hold each partition once', async () => {
    const f = fixture();
    f.fs.makeDirectory('/a/orders-0');
    f.fs.makeDirectory('/b/orders-0');
    await expect(f.open(BOTH)).rejects.toThrow(/two logs of orders-0/);
  });
});

describe('logs', () => {
  it('are made in the directory with the fewest', async () => {
    const f = fixture();
    const manager = await f.open(BOTH);
    for (let partition = 0; partition < 5; partition++) {
      manager.getOrCreateLog('orders', partition, { topicId: TOPIC_ID, isNew: true });
    }
    const inA = manager.allLogs().filter(({ directory }) => directory === '/a');
    expect([inA.length, manager.allLogs().length]).toEqual([3, 5]);
    const text = f.fs.readFile(`${manager.getLog('orders', 0)!.directory}/orders-0/partition.metadata`).toString();
    expect(text).toBe(`version: 0\ntopic_id: ${TOPIC_ID}`);
  });

  it('are found again by name, and only with their topic id', async () => {
    const f = fixture();
    let manager = await f.open();
    const log = ordersLog(manager);
    expect(ordersLog(manager)).toBe(log);
    await manager.shutdown();
    manager = await f.open();
    expect(ordersLog(manager).topicId).toBe(TOPIC_ID);
    const other = { topicId: 'AAAAAAAAAAAAAAAAAAAAAg', isNew: false };
    expect(() => manager.getOrCreateLog('orders', 0, other)).toThrow(failing('INCONSISTENT_TOPIC_ID'));
    expect(ordersLog(manager).topicId).toBe(TOPIC_ID);
  });

  it('get their topic id later if they were made without', async () => {
    const f = fixture();
    let manager = await f.open();
    const log = manager.getOrCreateLog('orders', 0, { topicId: null, isNew: true });
    expect(log.topicId).toBeNull();
    ordersLog(manager);
    f.fs.kill();
    manager = await f.open();
    expect(manager.getLog('orders', 0)!.topicId).toBe(TOPIC_ID);
  });

  it('stop the start when their topic id cannot be read', async () => {
    const f = fixture();
    ordersLog(await f.open());
    f.fs.kill();
    f.fs.writeFile('/data/orders-0/partition.metadata', 'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA');
    await expect(f.open()).rejects.toThrow(/partition.metadata is malformed/);
  });

  it.each(['', 'version', 'version: 0\ntopic_id: oVf2zRjJQI', '\0\0\0\0'])(
    'start without their topic id when power was lost before it was on disk: %j',
    async content => {
      const f = fixture();
      ordersLog(await f.open());
      f.fs.kill();
      f.fs.writeFile('/data/orders-0/partition.metadata', content);
      expect((await f.open()).getLog('orders', 0)!.topicId).toBeNull();
    },
  );

  it('are deleted at once for everybody, their files later', async () => {
    const f = fixture();
    let manager = await f.open();
    const log = ordersLog(manager);
    await log.appendAsLeader(batchOf(['a']), 0);
    const waiting = log.appendAsLeader(batchOf(['b']), 0);
    const deleted = manager.deleteLog('orders', 0);
    expect(manager.getLog('orders', 0)).toBeUndefined();
    const again = ordersLog(manager);
    await expect(waiting).rejects.toEqual(failing('STORAGE_ERROR'));
    await expect(log.read(0, 100, { upperBound: 'logEnd', minOneMessage: true })).rejects.toEqual(
      failing('STORAGE_ERROR'),
    );
    await deleted;
    expect((await again.appendAsLeader(batchOf(['c']), 0)).firstOffset).toBe(0);
    const left = () => filesIn(f.fs, '/data').filter(name => name.startsWith('orders'));
    expect(left()).toEqual(['orders-0', expect.stringMatching(/^orders-0\.[0-9a-f]{32}-delete$/)]);
    f.fs.kill();
    manager = await f.open();
    expect(manager.allLogs()).toHaveLength(1);
    f.time.advance(60_000);
    await nextTurn();
    expect(left()).toEqual(['orders-0']);
    expect(f.failures).toEqual([]);
  });

  it('can be deleted whatever the length of the name', async () => {
    const f = fixture();
    const manager = await f.open();
    const topic = 'x'.repeat(249);
    manager.getOrCreateLog(topic, 123, { topicId: TOPIC_ID, isNew: true });
    await manager.deleteLog(topic, 123);
    const name = filesIn(f.fs, '/data').find(file => file.startsWith('x'))!;
    expect(name.length).toBe(255);
    f.fs.kill();
    expect((await f.open()).allLogs()).toEqual([]);
  });

  it('follow changes of the topic’s configuration', async () => {
    const f = fixture();
    const manager = await f.open();
    const log = ordersLog(manager);
    f.config = { ...f.config, 'max.message.bytes': 10 };
    manager.updateTopicConfig('orders');
    await expect(log.appendAsLeader(batchOf(['a']), 0)).rejects.toEqual(failing('MESSAGE_TOO_LARGE'));
  });
});

describe('a directory that fails', () => {
  it('leaves the others working', async () => {
    const f = fixture();
    const manager = await f.open(BOTH);
    const logs = [0, 1].map(n => manager.getOrCreateLog('orders', n, { topicId: TOPIC_ID, isNew: true }));
    const bad = logs.find(({ directory }) => directory === '/a')!;
    const good = logs.find(({ directory }) => directory === '/b')!;
    f.fs.inject({ operation: 'write', path: /^\/a\//, code: 'EIO' });
    await expect(bad.appendAsLeader(batchOf(['a']), 0)).rejects.toEqual(failing('STORAGE_ERROR'));
    await good.appendAsLeader(batchOf(['b']), 0);
    expect(manager.allLogs()).toEqual([good]);
    expect(manager.offlineDirectories).toEqual(['/a']);
    await nextTurn();
    expect(f.failures).toEqual(['/a']);
    const lost = () => manager.getOrCreateLog('orders', bad.partition, { topicId: TOPIC_ID, isNew: false });
    expect(lost).toThrow(failing('STORAGE_ERROR'));
    expect(manager.getOrCreateLog('new', 0, { topicId: TOPIC_ID, isNew: true }).directory).toBe('/b');
    await manager.shutdown();
    expect([f.fs.exists('/a/.kafka_cleanshutdown'), f.fs.exists('/b/.kafka_cleanshutdown')]).toEqual([false, true]);
  });

  it('is passed over when a log is made there', async () => {
    const f = fixture();
    const manager = await f.open(BOTH);
    f.fs.inject({ operation: 'open', path: /^\/a\//, code: 'EROFS' });
    expect(ordersLog(manager).directory).toBe('/b');
    await expect.poll(() => f.failures).toEqual(['/a']);
  });

  it('is offline from the start if it cannot be opened; without any other the start fails', async () => {
    const f = fixture();
    f.fs.inject({ operation: 'open', path: /^\/a/, code: 'EACCES' });
    const manager = await f.open(BOTH);
    expect(manager.offlineDirectories).toEqual(['/a']);
    await expect(f.open({ directories: ['/a'] })).rejects.toThrow(/None of the log directories/);
  });
});

describe('regular tasks', () => {
  it('delete what retention no longer keeps, and report failures of nobody', async () => {
    const f = fixture({ 'segment.bytes': 100, 'retention.ms': 1000 });
    const log = ordersLog(await f.open());
    for (const value of 'abc') await log.appendAsLeader(batchOf([value]), 0);
    log.updateHighWatermark(2);
    f.time.advance(30_000);
    await expect.poll(() => log.logStartOffset).toBe(2);
    log.updateHighWatermark(3);
    f.time.advance(300_000);
    await expect.poll(() => log.logStartOffset).toBe(3);
  });

  it('flush logs by flush.ms', async () => {
    const f = fixture({ 'flush.ms': 500 });
    const manager = await f.open({
      options: { ...DEFAULT_STORAGE_OPTIONS, flushCheckIntervalMs: 100, initialTaskDelayMs: 0 },
    });
    const log = ordersLog(manager);
    await log.appendAsLeader(batchOf(['a']), 0);
    f.time.advance(400);
    await nextTurn();
    expect(log.recoveryPoint).toBe(0);
    f.time.advance(200);
    await expect.poll(() => log.recoveryPoint).toBe(1);
  });
});
