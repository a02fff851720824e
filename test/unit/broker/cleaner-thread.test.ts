import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CleanerThread } from '../../../broker/cleaner-thread.ts';
import { BatchBuilder } from '../../../shared/records/batch-builder.ts';

const RECORDS = 4000;
const never = new AbortController().signal;

let directory: string;
let thread: CleanerThread;
let limit: number;

/** A segment with records of ten keys, one a batch. */
function segment(): Buffer {
  const batches: Buffer[] = [];
  for (let offset = 0; offset < RECORDS; offset++) {
    const builder = new BatchBuilder();
    builder.append(5000, Buffer.from(`key-${offset % 10}`), Buffer.alloc(100, 'v'));
    batches.push(builder.build({ baseOffset: offset }));
  }
  return Buffer.concat(batches);
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-cleaner-'));
  mkdirSync(join(directory, 'orders-0'));
  writeFileSync(join(directory, 'orders-0', '00000000000000000000.log'), segment());
  limit = Infinity;
  thread = new CleanerThread(() => limit);
});

afterEach(async () => {
  await thread.stop();
  rmSync(directory, { recursive: true });
});

const path = () => join(directory, 'orders-0');
const source = () => ({ baseOffset: 0, size: segment().length });
const toMap = () => ({
  directory: path(),
  segments: [source()],
  allBaseOffsets: [0],
  startOffset: 0,
  endOffset: RECORDS,
  memoryBytes: 1 << 20,
  loadFactor: 0.9,
  chunk: 4096,
});
const toClean = () => ({
  directory: path(),
  sources: [source()],
  limits: { intervalBytes: 4096, maxBytes: 1 << 20 },
  now: 1_700_000_000_000,
  deleteRetentionMs: 1000,
  legacyHorizonMs: 0,
  producers: [],
  roundEnd: RECORDS,
  chunk: 4096,
});

describe('the cleaner thread', () => {
  it('is started by the first step, does all of them, and can be given back and started again', async () => {
    expect(thread.isStarted).toBe(false);
    for (let life = 0; life < 2; life++) {
      expect(await thread.run('map', toMap(), never)).toMatchObject({ latestOffset: RECORDS - 1, keys: 10 });
      expect(await thread.run('group', toClean(), never)).toMatchObject({ recordsRead: RECORDS, recordsKept: 10 });
      await thread.run('finish', { directory: path() }, never);
      expect(readdirSync(path()).filter(name => name.endsWith('.cleaned'))).toHaveLength(3);
      await thread.stop();
      expect(thread.isStarted).toBe(false);
    }
  });

  it('gives up at once when it is told to, also in a pause of the throttle, and leaves no file', async () => {
    await thread.run('map', toMap(), never);
    limit = 1;
    const stopping = new AbortController();
    const cleaning = thread.run('group', toClean(), stopping.signal);
    stopping.abort();
    await expect(cleaning).rejects.toMatchObject({ kind: 'aborted' });
    expect(readdirSync(path())).toEqual(['00000000000000000000.log']);
    limit = Infinity;
    expect(await thread.run('group', toClean(), never)).toMatchObject({ recordsKept: 10 });
  });

  it('tells a disk that fails from a log that is damaged', async () => {
    const missing = { ...toMap(), directory: join(directory, 'nowhere-0') };
    await expect(thread.run('map', missing, never)).rejects.toMatchObject({ kind: 'storage' });
    const bytes = segment();
    bytes[100]! ^= 1;
    writeFileSync(join(path(), '00000000000000000000.log'), bytes);
    await expect(thread.run('map', toMap(), never)).rejects.toMatchObject({ kind: 'records' });
  });
});
