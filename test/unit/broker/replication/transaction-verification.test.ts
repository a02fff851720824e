import { beforeEach, describe, expect, test } from 'vitest';
import type { AppendRequest } from '../../../../broker/replication/append-request.ts';
import type { AppendResult } from '../../../../broker/replication/append.ts';
import type { TxnVerifier } from '../../../../broker/replication/txn-verifier.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { buildTransactionMarker } from '../../../../shared/records/transaction-marker.ts';
import { partitionKey } from '../../../../shared/topics/topic-partition.ts';
import { batchOf, readAll } from '../storage/support.ts';
import { ReplicationCluster, TOPIC } from './support.ts';

const PRODUCER = { producerId: 7, producerEpoch: 2 };

/** A question that waits for `answer`. */
interface Asked {
  readonly question: string;
  answer(code: ErrorCode): void;
}

let asked: Asked[];
let cluster: ReplicationCluster;

const verifier: TxnVerifier = {
  verify: (transactionalId, producerId, producerEpoch, partitions) =>
    new Promise(resolve => {
      const keys = partitions.map(({ topic, partition }) => partitionKey(topic, partition));
      asked.push({
        question: `${transactionalId} ${producerId}/${producerEpoch} ${keys.join(' ')}`,
        answer: code => resolve(new Map(keys.map(key => [key, code]))),
      });
    }),
};

async function start(settings: Record<string, string> = {}): Promise<void> {
  asked = [];
  cluster = await ReplicationCluster.start([1], settings, verifier);
  await cluster.elect(1);
  await cluster.elect(1, { partition: 1 });
}

beforeEach(() => start());

interface Sent {
  readonly partitions?: readonly number[];
  readonly sequence?: number;
  readonly epoch?: number;
  readonly knowsAbortable?: boolean;
  readonly value?: string;
}

interface Sending {
  readonly results: Promise<AppendResult[]>;
  isParked(): boolean;
}

/** A produce of one transactional batch a partition. */
function send({ partitions = [0], sequence = 0, epoch = 2, knowsAbortable = false, value = 'v' }: Sent = {}): Sending {
  const numbers = { producerId: 7, producerEpoch: epoch, baseSequence: sequence, isTransactional: true };
  const request: AppendRequest = {
    acks: 1,
    timeoutMs: 30_000,
    entries: partitions.map(partition => ({ topic: TOPIC, partition, records: batchOf([value], numbers) })),
    legacyMagicAllowed: false,
    origin: 'client',
    transaction: { id: 'tx', producerId: 7, producerEpoch: epoch, knowsAbortable },
  };
  let isParked = false;
  const results = cluster.broker(1).replicas.append(request, () => (isParked = true));
  return { results, isParked: () => isParked };
}

async function codes({ results }: Sending): Promise<ErrorCode[]> {
  return (await cluster.during(results)).map(({ errorCode }) => errorCode);
}

async function mark(isCommit: boolean, producer = PRODUCER): Promise<void> {
  const records = buildTransactionMarker(producer, { isCommit, coordinatorEpoch: 0, timestamp: 1 });
  const entries = [{ topic: TOPIC, partition: 0, records }];
  const request = { acks: 1, timeoutMs: 1000, entries, legacyMagicAllowed: false, origin: 'coordinator' as const };
  await cluster.during(cluster.broker(1).replicas.append(request, () => {}));
}

describe('the first batch of a transaction in a partition', () => {
  test('waits for the coordinator, and holds back what comes behind it', async () => {
    const first = send();
    expect(asked.map(({ question }) => question)).toEqual(['tx 7/2 orders-0']);
    await cluster.time.advance(1000);
    expect(first.isParked()).toBe(false);
    expect(cluster.broker(1).log().logEndOffset).toBe(0);
    asked[0]!.answer(ErrorCode.NONE);
    expect(await codes(first)).toEqual([ErrorCode.NONE]);
    expect(first.isParked()).toBe(true);
    expect(cluster.broker(1).log().logEndOffset).toBe(1);
  });

  test('is the only one that does, in each partition, until the transaction ends', async () => {
    const first = send();
    asked[0]!.answer(ErrorCode.NONE);
    await cluster.during(first.results);
    const second = send({ sequence: 1 });
    expect(second.isParked()).toBe(true);
    expect(await codes(second)).toEqual([ErrorCode.NONE]);
    const both = send({ partitions: [0, 1], sequence: 2 });
    expect(asked.at(-1)!.question).toBe('tx 7/2 orders-1');
    asked[1]!.answer(ErrorCode.NONE);
    expect(await codes(both)).toEqual([ErrorCode.NONE, ErrorCode.NONE]);
    await mark(true);
    void send({ sequence: 3 });
    expect(asked).toHaveLength(3);
  });

  test('of which the coordinator does not know is not appended, nor are the others held back', async () => {
    const sending = send({ partitions: [0, 1] });
    const [{ question }] = asked as [Asked];
    expect(question).toBe('tx 7/2 orders-0 orders-1');
    asked[0]!.answer(ErrorCode.TRANSACTION_ABORTABLE);
    expect(await codes(sending)).toEqual([ErrorCode.INVALID_TXN_STATE, ErrorCode.INVALID_TXN_STATE]);
    expect(cluster.broker(1).log().logEndOffset).toBe(0);
  });

  test.each([
    [ErrorCode.TRANSACTION_ABORTABLE, true, ErrorCode.TRANSACTION_ABORTABLE],
    [ErrorCode.TRANSACTION_ABORTABLE, false, ErrorCode.INVALID_TXN_STATE],
    [ErrorCode.INVALID_TXN_STATE, true, ErrorCode.INVALID_TXN_STATE],
    [ErrorCode.PRODUCER_FENCED, true, ErrorCode.INVALID_PRODUCER_EPOCH],
    [ErrorCode.INVALID_PRODUCER_ID_MAPPING, true, ErrorCode.INVALID_PRODUCER_ID_MAPPING],
    [ErrorCode.NETWORK_EXCEPTION, true, ErrorCode.NOT_ENOUGH_REPLICAS],
    [ErrorCode.NOT_COORDINATOR, false, ErrorCode.NOT_ENOUGH_REPLICAS],
    [ErrorCode.COORDINATOR_NOT_AVAILABLE, false, ErrorCode.NOT_ENOUGH_REPLICAS],
    [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, false, ErrorCode.NOT_ENOUGH_REPLICAS],
    [ErrorCode.CONCURRENT_TRANSACTIONS, false, ErrorCode.NOT_ENOUGH_REPLICAS],
  ])('whose coordinator answers %i (TRANSACTION_ABORTABLE known: %s) is refused with %i', async (code, knows, told) => {
    const sending = send({ knowsAbortable: knows });
    asked[0]!.answer(code);
    expect(await codes(sending)).toEqual([told]);
  });

  test('is refused when its transaction ended while it was verified, even if another has begun since', async () => {
    const late = send();
    await mark(false);
    asked[0]!.answer(ErrorCode.NONE);
    expect(await codes(late)).toEqual([ErrorCode.INVALID_TXN_STATE]);

    const later = send();
    await mark(false);
    const next = send();
    asked[1]!.answer(ErrorCode.NONE);
    expect(await codes(later)).toEqual([ErrorCode.INVALID_TXN_STATE]);
    asked[2]!.answer(ErrorCode.NONE);
    expect(await codes(next)).toEqual([ErrorCode.NONE]);
  });

  test('begins with the lowest sequence that was tried', async () => {
    const first = send({ sequence: 0, value: 'first' });
    const second = send({ sequence: 1, value: 'second' });
    asked[1]!.answer(ErrorCode.NONE);
    expect(await codes(second)).toEqual([ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER]);
    asked[0]!.answer(ErrorCode.NONE);
    expect(await codes(first)).toEqual([ErrorCode.NONE]);
    expect(await codes(send({ sequence: 1, value: 'second' }))).toEqual([ErrorCode.NONE]);
    expect((await readAll(cluster.broker(1).log())).map(({ value }) => value)).toEqual(['first', 'second']);
  });

  test('of a broker that does not lead the partition any more is answered that, without asking', async () => {
    const sending = send({ partitions: [5] });
    expect(asked).toEqual([]);
    expect(await codes(sending)).toEqual([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
  });
});

test('transaction.partition.verification.enable=false takes them on trust', async () => {
  await start({ 'transaction.partition.verification.enable': 'false' });
  const sending = send();
  expect(sending.isParked()).toBe(true);
  expect(await codes(sending)).toEqual([ErrorCode.NONE]);
  expect(asked).toEqual([]);
});

test('what a follower was given ends the verifications of the time when it led', async () => {
  const late = send();
  const log = cluster.broker(1).log();
  const marker = buildTransactionMarker(PRODUCER, { isCommit: false, coordinatorEpoch: 0, timestamp: 1 });
  await cluster.during(log.appendAsFollower(marker));
  asked[0]!.answer(ErrorCode.NONE);
  expect(await codes(late)).toEqual([ErrorCode.INVALID_TXN_STATE]);
});
