import { isPresent, ZERO_UUID, type Field, type Fields } from '../../shared/protocol/schema.ts';
import type { BatchPool } from './batches.ts';
import type { Chance } from './chance.ts';

/** The topics that are written to; they are there, with four partitions each. */
export const WRITTEN_TOPICS = ['fuzz', 'fuzz-compacted'];
/** The topic that is read from: it keeps what it held at the start. */
export const READ_TOPIC = 'fuzz-read';
const NAMES = [
  ...WRITTEN_TOPICS,
  ...WRITTEN_TOPICS,
  'unknown',
  '',
  '..',
  'a b',
  'x'.repeat(249),
  'x'.repeat(250),
  '__consumer_offsets',
];
const GROUPS = ['g', 'h', 'i', 'unknown', '', 'x'.repeat(249)];
const PARTITIONS = [0, 0, 1, 2, 3, 4, -1, 0x7fffffff];
const OFFSETS = [0, 0, 1, 5, 100, 10_000, -1, -2, -3, Number.MAX_SAFE_INTEGER];

/** Fields that have to be likely for a request to get far, by name; all others are drawn by their kind. */
const LIKELY: Readonly<Record<string, readonly unknown[]>> = {
  name: NAMES,
  topic: [READ_TOPIC, READ_TOPIC, READ_TOPIC, ...NAMES],
  resourceName: [...NAMES, '0', '7'],
  resourceType: [2, 2, 4, 8, 0, 127],
  partition: PARTITIONS,
  partitionIndex: PARTITIONS,
  index: PARTITIONS,
  groupId: GROUPS,
  group: GROUPS,
  key: GROUPS,
  coordinatorKey: GROUPS,
  keyType: [0, 0, 0, 1, 2],
  memberId: ['', '', 'm'],
  generationId: [-1, 0, 1],
  generationIdOrMemberEpoch: [-1, -1, -1, 0],
  committedOffset: OFFSETS,
  acks: [1, 1, -1, -1, 0, 0, 2, -2],
  timeoutMs: [0, 100, 1000],
  // A longer wait would only slow the run down: the connection is held while it waits.
  maxWaitMs: [0, 0, 1, 5],
  minBytes: [0, 1, 100, 0x7fffffff],
  maxBytes: [0, 1000, 1 << 20, 0x7fffffff],
  partitionMaxBytes: [0, 1, 1000, 20_000],
  fetchOffset: OFFSETS,
  offset: OFFSETS,
  timestamp: [-1, -2, -3, 0, 1_700_000_000_000],
  replicaId: [-1, -1, -1, -2],
  currentLeaderEpoch: [-1, -1, 0, 1],
  leaderEpoch: [-1, 0, 1],
  sessionId: [0, 0, 0, 1, -1],
  sessionEpoch: [0, 0, -1, 1, 2, 0x7fffffff],
  isolationLevel: [0, 1, 2],
  transactionalId: [null, null, null, '', 'tx'],
  v3AndBelowTransactionalId: ['tx', 'tx', 'tx', 'other', ''],
  v3AndBelowProducerId: [-1, 0, 0, 1, 1000],
  v3AndBelowProducerEpoch: [-1, 0, 0, 1],
  transactionTimeoutMs: [1000, 60_000, 60_000, 0, -1, 900_001],
  coordinatorEpoch: [-1, 0, 0, 1],
  producerId: [-1, -1, 0, 1, 1000],
  producerEpoch: [-1, -1, 0, 1],
  // One wrong byte elsewhere and the topic is made: more partitions would be growth that no fuzzer has to find.
  numPartitions: [1, 4, -1, 0, 20],
  replicationFactor: [1, 1, -1, 0, 3],
  allowAutoTopicCreation: [false],
  // What is created for good would be growth that no fuzzer has to find.
  validateOnly: [true],
  configurationKeys: [null, ['retention.ms'], [], ['no.such.key']],
};

const BOUNDS: Readonly<Record<string, readonly number[]>> = {
  int8: [0, 1, -1, 127, -128],
  int16: [0, 1, -1, 0x7fff, -0x8000],
  uint16: [0, 1, 0xffff],
  int32: [0, 1, -1, 0x7fffffff, -0x80000000],
  uint32: [0, 1, 0xffffffff],
  int64: [0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
};

/** What values are drawn from. */
export interface Stock {
  readonly batches: BatchPool;
  /** Ids of topics that are there. */
  readonly topicIds: readonly string[];
}

/** A value of a request, random but such that it gets far: known topics, small numbers, real batches. */
export function drawStruct(fields: Fields, version: number, chance: Chance, stock: Stock): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, f] of Object.entries(fields)) {
    if (isPresent(f, version)) value[name] = drawField(name, f, version, chance, stock);
  }
  return value;
}

function drawField(name: string, f: Field, version: number, chance: Chance, stock: Stock): unknown {
  const mayBeNull = version >= f.nullable;
  const likely = Object.hasOwn(LIKELY, name) && f.kind !== 'struct' ? chance.pick(LIKELY[name]!) : undefined;
  if (likely !== undefined && (likely !== null || mayBeNull)) return likely;
  if (mayBeNull && chance.oneIn(6)) return null;
  switch (f.kind) {
    case 'struct':
      return drawStruct(f.fields!, version, chance, stock);
    case 'array':
      return chance.several(0, 3, () => drawField(singular(name), f.element!, version, chance, stock));
    case 'records':
      return stock.batches.draw(chance, version);
    case 'bool':
      return chance.oneIn(2);
    case 'string':
      return chance.pick(['', 'a', 'fuzz', 'ü', '\u0000', 'retention.ms', 'x'.repeat(200)]);
    case 'bytes':
      return chance.bytes(chance.integer(0, 40));
    case 'uuid':
      return chance.oneIn(4) ? chance.bytes(16).toString('base64url') : chance.pick([ZERO_UUID, ...stock.topicIds]);
    case 'exact64':
      return chance.pick([0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]);
    case 'float64':
      return chance.pick([0, 1.5, -1, Infinity]);
    default:
      return chance.pick(BOUNDS[f.kind]!);
  }
}

/** Under what name an element of the array is looked up. */
function singular(name: string): string {
  return name === 'topicNames' ? 'name' : name.replace(/(Indexe|Indice|Id)?s$/, '$1');
}
