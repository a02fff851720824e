import type { Api } from '../../shared/protocol/api.ts';
import { AddOffsetsToTxn } from '../../shared/protocol/messages/add-offsets-to-txn.ts';
import { AddPartitionsToTxn } from '../../shared/protocol/messages/add-partitions-to-txn.ts';
import { ApiVersions } from '../../shared/protocol/messages/api-versions.ts';
import { CreateTopics } from '../../shared/protocol/messages/create-topics.ts';
import { DescribeCluster } from '../../shared/protocol/messages/describe-cluster.ts';
import { DescribeConfigs } from '../../shared/protocol/messages/describe-configs.ts';
import { DescribeProducers } from '../../shared/protocol/messages/describe-producers.ts';
import { DescribeTransactions } from '../../shared/protocol/messages/describe-transactions.ts';
import { EndTxn } from '../../shared/protocol/messages/end-txn.ts';
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { DescribeGroups } from '../../shared/protocol/messages/describe-groups.ts';
import { FindCoordinator } from '../../shared/protocol/messages/find-coordinator.ts';
import { Heartbeat } from '../../shared/protocol/messages/heartbeat.ts';
import { LeaveGroup } from '../../shared/protocol/messages/leave-group.ts';
import { ListGroups } from '../../shared/protocol/messages/list-groups.ts';
import { ListTransactions } from '../../shared/protocol/messages/list-transactions.ts';
import { OffsetCommit } from '../../shared/protocol/messages/offset-commit.ts';
import { OffsetDelete } from '../../shared/protocol/messages/offset-delete.ts';
import { OffsetFetch } from '../../shared/protocol/messages/offset-fetch.ts';
import { SyncGroup } from '../../shared/protocol/messages/sync-group.ts';
import { InitProducerId } from '../../shared/protocol/messages/init-producer-id.ts';
import { ListOffsets } from '../../shared/protocol/messages/list-offsets.ts';
import { Metadata } from '../../shared/protocol/messages/metadata.ts';
import { OffsetForLeaderEpoch } from '../../shared/protocol/messages/offset-for-leader-epoch.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import { TxnOffsetCommit } from '../../shared/protocol/messages/txn-offset-commit.ts';
import { WriteTxnMarkers } from '../../shared/protocol/messages/write-txn-markers.ts';
import type { Chance } from './chance.ts';
import { length, number, spell, uvarint, type Piece } from './spelling.ts';
import { drawStruct, type Stock } from './values.ts';

/** The APIs that are asked, as often as they stand here, in all their versions; CreateTopics from where it can only validate. */
const ASKED: readonly (readonly [api: Api, leastVersion: number])[] = [
  ...Array<readonly [Api, number]>(5).fill([Produce, 0]),
  ...Array<readonly [Api, number]>(5).fill([Fetch, 0]),
  ...Array<readonly [Api, number]>(2).fill([ApiVersions, 0]),
  ...Array<readonly [Api, number]>(2).fill([Metadata, 4]),
  [ListOffsets, 0],
  [ListOffsets, 0],
  [InitProducerId, 0],
  [CreateTopics, 1],
  [DescribeConfigs, 0],
  [DescribeCluster, 0],
  [DescribeProducers, 0],
  [OffsetForLeaderEpoch, 0],
  [FindCoordinator, 0],
  [OffsetCommit, 1],
  [OffsetCommit, 1],
  [OffsetFetch, 1],
  [OffsetDelete, 0],
  [SyncGroup, 0],
  [Heartbeat, 0],
  [LeaveGroup, 0],
  [DescribeGroups, 0],
  [ListGroups, 0],
  [AddPartitionsToTxn, 0],
  [AddPartitionsToTxn, 0],
  [AddOffsetsToTxn, 0],
  [TxnOffsetCommit, 0],
  [EndTxn, 0],
  [WriteTxnMarkers, 0],
  [DescribeTransactions, 0],
  [ListTransactions, 0],
];
/** Keys whose bodies are noise: JoinGroup, whose answer may be long in coming, and DeleteGroups; and what this broker does not serve: SASL, and what never was. */
const UNKNOWN_KEYS = [11, 17, 36, 42, 68, 75, 999, -1, 0x7fff, -0x8000];

/** One frame, or what is made of one. */
export interface KafkaInput {
  readonly bytes: Buffer;
  /** Whether the frame's size is true, so that the next frame can follow. */
  readonly keepsFraming: boolean;
}

/**
 * The next input for a connection: a request as a client would send it, one in two of them wrong in one place.
 * @param correlationId by which the answer is known
 */
export function drawKafkaInput(chance: Chance, stock: Stock, correlationId: number): KafkaInput {
  const pieces = drawRequest(chance, stock, correlationId);
  if (chance.oneIn(2)) return { bytes: framed(pieces), keepsFraming: true };
  if (chance.oneIn(8)) return brokenFrame(framed(pieces), chance);
  return { bytes: framed(mutated(pieces, chance)), keepsFraming: true };
}

const HEADER_PIECES = 3;

function drawRequest(chance: Chance, stock: Stock, correlationId: number): Piece[] {
  if (chance.oneIn(25)) {
    const version = chance.integer(-1, 12);
    return [...header(chance.pick(UNKNOWN_KEYS), version, correlationId, chance, false), noise(chance, 60)];
  }
  const [api, least] = chance.pick(ASKED);
  const version = chance.integer(Math.max(least, api.versions.min), api.versions.max);
  const isFlexible = api.flexibleSince !== null && version >= api.flexibleSince;
  if (chance.oneIn(40)) {
    const wrong = chance.pick([api.versions.max + 1, -1, 0x7fff, -0x8000]);
    return [...header(api.key, wrong, correlationId, chance, isFlexible), noise(chance, 60)];
  }
  const value = drawStruct(api.request.fields, version, chance, stock);
  return [
    ...header(api.key, version, correlationId, chance, isFlexible),
    ...spell(api.request.fields, value, version, isFlexible),
  ];
}

function header(key: number, version: number, correlationId: number, chance: Chance, isFlexible: boolean): Piece[] {
  const clientId = chance.pick([null, Buffer.from('fuzz'), Buffer.alloc(0), Buffer.from('ü'.repeat(60))]);
  const pieces = [number(2, key), number(2, version), number(4, correlationId)];
  pieces.push(length(clientId === null ? -1 : clientId.length, 2, false));
  if (clientId !== null) pieces.push({ role: 'content', bytes: clientId });
  if (isFlexible) pieces.push({ role: 'compactLength', bytes: uvarint(0) });
  return pieces;
}

function noise(chance: Chance, most: number): Piece {
  return { role: 'content', bytes: chance.bytes(chance.integer(0, most)) };
}

function framed(pieces: readonly Piece[]): Buffer {
  const body = Buffer.concat(pieces.map(({ bytes }) => bytes));
  return Buffer.concat([number(4, body.length).bytes, body]);
}

/** One or two pieces made wrong, left out, doubled, or told by other bytes; key, version and correlation id stay. */
function mutated(pieces: readonly Piece[], chance: Chance): Piece[] {
  const wrong = [...pieces];
  for (let left = chance.integer(1, 2); left > 0 && wrong.length > HEADER_PIECES; left--) {
    const at = chance.integer(HEADER_PIECES, wrong.length - 1);
    const kind = chance.integer(0, 9);
    if (kind === 0) wrong.splice(at, 1);
    else if (kind === 1) wrong.splice(at, 0, wrong[at]!);
    else if (kind === 2) wrong.splice(at, wrong.length);
    else if (kind === 3) wrong.push(noise(chance, 20));
    else wrong[at] = { role: wrong[at]!.role, bytes: mutatedPiece(wrong[at]!, chance) };
  }
  return wrong;
}

/** Compact counts of 2^32 − 1, of 2^35 − 1, that never end, and that end with needless zeros. */
const WRONG_VARINTS = ['ffffffff0f', 'ffffffff7f', 'ffffffffffffffffffff', '808080808000', 'ff', '00', '01'].map(hex =>
  Buffer.from(hex, 'hex'),
);

function mutatedPiece({ role, bytes }: Piece, chance: Chance): Buffer {
  switch (role) {
    case 'length':
    case 'number': {
      const size = bytes.length;
      const value = size === 4 ? bytes.readInt32BE() : size === 2 ? bytes.readInt16BE() : 0;
      const bound = 2n ** BigInt(size * 8 - 1);
      return number(size, chance.pick([BigInt(value) + 1n, BigInt(value) - 1n, -1n, -2n, bound - 1n, -bound, 65_536n]))
        .bytes;
    }
    case 'compactLength':
    case 'tag':
      return chance.pick([uvarint(bytes[0]! + 1), uvarint(Math.max(bytes[0]! - 1, 0)), ...WRONG_VARINTS]);
    case 'content': {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[chance.integer(0, copy.length - 1)] = chance.pick([0, 0x80, 0xc0, 0xff]);
      return chance.oneIn(3) ? copy.subarray(0, chance.integer(0, copy.length)) : copy;
    }
  }
}

/** A frame cut at any byte, or whose size is not its own: nothing can follow it. */
function brokenFrame(frame: Buffer, chance: Chance): KafkaInput {
  if (chance.oneIn(2)) return { bytes: frame.subarray(0, chance.integer(1, frame.length - 1)), keepsFraming: false };
  const size = frame.length - 4;
  // Sizes that sniff as HTTP are the other dialects' matter; 100 MiB is the largest that is allowed.
  const sizes = [size + 1, size - 1, 0, 1, 7, -1, -0x80000000, 0x3fffffff, 100 << 20, (100 << 20) + 1];
  return { bytes: Buffer.concat([number(4, chance.pick(sizes)).bytes, frame.subarray(4)]), keepsFraming: false };
}
