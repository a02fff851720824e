import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StorageError } from '../../broker/storage/errors.ts';
import { prepareLeaderAppend } from '../../broker/storage/leader-append.ts';
import { CODECS } from '../../shared/records/compression.ts';
import * as batch from '../../shared/records/batch.ts';
import { BUILT_IN_TOPIC_CONFIG } from '../../shared/topics/topic-config.ts';
import { absenceOf, javaClassPath, whereAbsent } from '../support/apache-kafka.ts';
import { runs } from '../support/property-runs.ts';
import { rawBatch, type RawRecord } from '../support/raw-batch.ts';

/**
 * What our leader makes of a batch, and what Apache Kafka's makes of it (`LogValidator`): the same error for the same
 * records, or the same bytes.
 */

const DRIVER = join(import.meta.dirname, 'drivers/java/Validator.java');
const NOW = 1_700_000_000_000;

interface Topic {
  readonly compacted: boolean;
  readonly logAppendTime: boolean;
  readonly before: number;
  readonly after: number;
}

interface Verdict {
  readonly bytes?: string;
  readonly error?: string;
  readonly indexes?: readonly number[];
}

interface OurVerdict extends Verdict {
  readonly message?: string;
}

/** What Kafka takes in an uncompressed batch, and then has records under other offsets than it says, or other bytes. */
const STRICTER_HERE = /has the offset delta|the length of a key or a value is below -1|a header length is negative/;

/**
 * What Kafka refuses, too, but with UNKNOWN_SERVER_ERROR: it reads a record's length outside of what turns exceptions into
 * INVALID_RECORD (`DefaultRecord.readFrom`).
 */
const CLEARER_HERE = /a varint has more than 5 bytes/;

const ANY_TOPIC: Topic = { compacted: false, logAppendTime: false, before: 1e12, after: 1e12 };

describe.skipIf(absenceOf('3.9') !== null)(whereAbsent('3.9', "Apache Kafka's LogValidator"), () => {
  let java: ChildProcess;
  const waiting: ((verdict: Verdict) => void)[] = [];
  let stderr = '';
  let ended: Verdict | null = null;

  beforeAll(() => {
    java = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'java', '-cp', javaClassPath('3.9'), DRIVER]);
    java.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    java.stdin!.on('error', () => {});
    createInterface({ input: java.stdout! }).on('line', line => waiting.shift()!(JSON.parse(line) as Verdict));
    java.once('close', () => {
      ended = { error: `the JVM ended: ${stderr}` };
      for (const resolve of waiting.splice(0)) resolve(ended);
    });
  });

  afterAll(() => {
    java?.kill('SIGKILL');
  });

  function theirs(bytes: Buffer, topic: Topic): Promise<Verdict> {
    return new Promise(resolve => {
      if (ended !== null) {
        resolve(ended);
        return;
      }
      waiting.push(resolve);
      const request = { bytes: bytes.toString('base64'), ...topic, now: NOW, offset: 100, epoch: 7 };
      java.stdin!.write(`${JSON.stringify(request)}\n`);
    });
  }

  function ours(bytes: Buffer, topic: Topic): OurVerdict {
    const config = {
      ...BUILT_IN_TOPIC_CONFIG,
      'cleanup.policy': topic.compacted ? (['compact'] as const) : (['delete'] as const),
      'message.timestamp.type': topic.logAppendTime ? ('LogAppendTime' as const) : ('CreateTime' as const),
      'message.timestamp.before.max.ms': topic.before,
      'message.timestamp.after.max.ms': topic.after,
    };
    const context = { config, leaderEpoch: 7, nextOffset: 100, now: NOW };
    try {
      return { bytes: prepareLeaderAppend(Buffer.from(bytes), {}, context).bytes.toString('base64') };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const indexes = error.recordErrors.map(({ batchIndex }) => batchIndex);
      return { error: error.kind, indexes, message: error.message };
    }
  }

  async function compare(bytes: Buffer, topic: Topic): Promise<Verdict | 'stricter'> {
    const [{ message = '', ...here }, there] = [ours(bytes, topic), await theirs(bytes, topic)];
    if (STRICTER_HERE.test(message)) return 'stricter';
    const isClearer = CLEARER_HERE.test(message) && there.error === 'UNKNOWN_SERVER_ERROR';
    if (!isClearer) expect(here, bytes.toString('hex')).toEqual(there);
    return here;
  }

  const record: fc.Arbitrary<RawRecord> = fc.record({
    timestampDelta: fc.oneof(fc.integer({ min: -300, max: 300 }), fc.integer()),
    key: fc.option(fc.uint8Array({ maxLength: 200 }), { nil: null }),
    value: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null }),
    headers: fc.array(
      fc.tuple(fc.string({ maxLength: 5 }), fc.option(fc.uint8Array({ maxLength: 70 }), { nil: null })),
      {
        maxLength: 3,
      },
    ),
  });
  const records = fc.array(record, { minLength: 1, maxLength: 5 });
  const topic = fc.record({
    compacted: fc.boolean(),
    logAppendTime: fc.boolean(),
    before: fc.constantFrom(100, 1e12),
    after: fc.constantFrom(50, 1e12),
  });

  test('well-formed records: the same errors and indexes, or the same bytes', async () => {
    const property = fc.asyncProperty(
      records,
      topic,
      fc.constantFrom(...Object.values(CODECS)),
      async (all, to, codec) => {
        expect(await compare(rawBatch(all, { baseTimestamp: NOW, codec }), to)).not.toBe('stricter');
      },
    );
    await fc.assert(property, runs(200));
  });

  test('a largest timestamp that is none is put right', async () => {
    const claims = [-1, 0, NOW - 1, NOW + 2_000, Number.MAX_SAFE_INTEGER];
    for (const maxTimestamp of claims) {
      await compare(rawBatch([{ timestampDelta: -9 }, {}], { baseTimestamp: NOW, maxTimestamp }), ANY_TOPIC);
    }
  });

  test('batches that say LogAppendTime', async () => {
    for (const logAppendTime of [true, false])
      for (const maxTimestamp of [NOW, -1, NOW - 1_000]) {
        const bytes = rawBatch([{}, {}], { baseTimestamp: NOW, maxTimestamp });
        batch.setMaxTimestampAndType(bytes, 0, batch.LOG_APPEND_TIME, maxTimestamp);
        for (const before of [100, 1e12]) await compare(bytes, { ...ANY_TOPIC, logAppendTime, before });
      }
  });

  test('a record length that is no varint is INVALID_RECORD here', async () => {
    const bytes = rawBatch([{ value: new Uint8Array(8) }], { baseTimestamp: NOW });
    bytes.fill(0x80, 61, 67);
    batch.updateCrc(bytes, 0);
    expect(await compare(bytes, ANY_TOPIC)).toEqual({ error: 'INVALID_RECORD', indexes: [] });
    expect(await theirs(bytes, ANY_TOPIC)).toMatchObject({ error: 'UNKNOWN_SERVER_ERROR' });
  });

  test('bytes of records changed, the checksum being right', async () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    let [refused, stricter] = [0, 0];
    const property = fc.asyncProperty(
      records,
      fc.array(change, { minLength: 1, maxLength: 3 }),
      async (all, changes) => {
        const bytes = rawBatch(all, { baseTimestamp: NOW });
        for (const [at, value] of changes) bytes[61 + (at % (bytes.length - 61))] = value;
        batch.updateCrc(bytes, 0);
        const verdict = await compare(bytes, ANY_TOPIC);
        if (verdict === 'stricter') stricter++;
        else if (verdict.error !== undefined) refused++;
      },
    );
    await fc.assert(property, runs(1_000));
    // Some 43 and 9 of a hundred: the exceptions are that, ten standard deviations from this bound.
    expect(refused).toBeGreaterThan(2 * stricter);
  });
});
