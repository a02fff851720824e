import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as batch from '../../../../shared/records/batch.ts';
import { CODECS } from '../../../../shared/records/compression.ts';
import type { CodecName } from '../../../../shared/records/compression.ts';
import { readMessageSet, writeMessageSet } from '../../../../shared/records/message-set.ts';
import { T, build, fromHex, read, toHex } from './support.ts';
import type { PlacedRecord } from './support.ts';

/**
 * Both directions against the record module of kafka-python, where it is installed (Debian: python3-kafka), for the
 * codecs that it finds libraries for. $PYTHON names another interpreter.
 */

const SCRIPT = String.raw`
import json, sys
from kafka import codec
from kafka.record.memory_records import MemoryRecords, MemoryRecordsBuilder

def unhex(text): return None if text is None else bytes.fromhex(text)
def hexed(data): return None if data is None else bytes(data).hex()

def encode(job):
    builder = MemoryRecordsBuilder(job['magic'], job['codec'], 10_000_000)
    for r in job['records']:
        headers = [(h['key'], unhex(h['value'])) for h in r['headers']]
        builder.append(r['timestamp'], unhex(r['key']), unhex(r['value']), headers)
    builder.close()
    return bytes(builder.buffer()).hex()

def decode(job):
    records, out, crcs = MemoryRecords(unhex(job['bytes'])), [], []
    while records.has_next():
        batch = records.next_batch()
        crcs.append(batch.validate_crc())
        for r in batch:
            out.append({'offset': r.offset, 'timestamp': -1 if r.timestamp is None else r.timestamp,
                        'key': hexed(r.key), 'value': hexed(r.value),
                        'headers': [{'key': k, 'value': hexed(v)} for k, v in r.headers]})
    return {'crcs': crcs, 'records': out}

names = ['gzip', 'snappy', 'lz4', 'zstd']
jobs = json.load(sys.stdin)
answers = [{'encode': encode, 'decode': decode}[job['do']](job) for job in jobs]
json.dump({'codecs': ['none'] + [n for n in names if getattr(codec, 'has_' + n)()],
           'hasOldLz4': getattr(codec, 'xxhash', None) is not None, 'answers': answers}, sys.stdout)
`;

interface Answer<T> {
  codecs: CodecName[];
  /** Whether it has what the lz4 of magic 0 needs besides, whose frames have another checksum. */
  hasOldLz4: boolean;
  answers: T[];
}

function python<T>(jobs: unknown[]): Answer<T> | undefined {
  const interpreter = process.env['PYTHON'] ?? '/usr/bin/python3';
  const { status, stdout, stderr } = spawnSync(interpreter, ['-c', SCRIPT], {
    input: JSON.stringify(jobs),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status === 0) return JSON.parse(stdout) as Answer<T>;
  if (jobs.length === 0) return undefined; // the probe: no interpreter or no module
  throw new Error(stderr);
}

const { codecs: available, hasOldLz4 } = python<never>([]) ?? { codecs: [], hasOldLz4: false };

const HEADERS = [
  { key: 'h', value: '76' },
  { key: 'ümlaut', value: '' },
  { key: 'h', value: '00ff' },
];

/** Small and large, null and empty; the last crosses the block sizes of snappy and lz4. */
function sample(magic: number): PlacedRecord[] {
  const values = ['68656c6c6f', null, '', 'ff'.repeat(300), '73616d736120'.repeat(15_000), '00'];
  return values.map((value, i) => ({
    offset: i,
    timestamp: magic === 0 ? -1 : T + 10 * i,
    key: i % 2 ? null : `0${i}`,
    value,
    headers: magic === 2 && i % 2 ? HEADERS : [],
  }));
}

function isPossible(magic: number, name: CodecName): boolean {
  return magic === 2 || (name !== 'zstd' && (magic === 1 || name !== 'lz4' || hasOldLz4));
}

const cases = [0, 1, 2].flatMap(magic =>
  available.filter(name => isPossible(magic, name)).map(name => [magic, name] as const),
);

describe.skipIf(available.length === 0)(`kafka-python, with ${available.join(', ')}`, () => {
  it.each(cases)('reads what we write: magic %d, %s', (magic, name) => {
    const records = sample(magic);
    const encoded =
      magic === 2
        ? build(records, { codec: CODECS[name] })
        : writeMessageSet(
            records.map(record => ({
              ...record,
              timestampType: 0,
              key: fromHex(record.key),
              value: fromHex(record.value),
            })),
            magic as 0 | 1,
            CODECS[name],
          );
    const { answers } = python<{ crcs: boolean[]; records: PlacedRecord[] }>([
      { do: 'decode', bytes: encoded.toString('hex') },
    ])!;
    expect(new Set(answers[0]!.crcs)).toEqual(new Set([true]));
    expect(answers[0]!.records).toEqual(records);
  });

  it.each(cases)('writes what we read: magic %d, %s', (magic, name) => {
    const records = sample(magic);
    const { answers } = python<string>([{ do: 'encode', magic, codec: CODECS[name], records }])!;
    const encoded = Buffer.from(answers[0]!, 'hex');
    expect(batch.crcIsValid(encoded, 0)).toBe(true);
    expect(batch.compressionCodec(encoded, 0)).toBe(CODECS[name]);
    const found =
      magic === 2
        ? read(encoded)
        : [...readMessageSet(encoded)].map(({ offset, timestamp, key, value }) => ({
            offset,
            timestamp,
            key: toHex(key),
            value: toHex(value),
            headers: [],
          }));
    expect(found).toEqual(records);
  });
});
