import { beforeEach, expect, test } from 'vitest';
import { TxnVerification } from '../../../broker/txn-verification.ts';
import { ConnectionError, type Connection, type Connector } from '../../../shared/connection/connection.ts';
import type { Api, RequestInput, ResponseOf } from '../../../shared/protocol/api.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { AddPartitionsToTxn } from '../../../shared/protocol/messages/add-partitions-to-txn.ts';
import { coordinatorPartition } from '../../../shared/topics/coordinator-partition.ts';
import { TRANSACTION_STATE_TOPIC } from '../../../shared/topics/names.ts';
import { brokerConfig, knownCluster } from '../../support/known-cluster.ts';

type Request = RequestInput<typeof AddPartitionsToTxn>;
type Response = ResponseOf<typeof AddPartitionsToTxn>;

/** A request on its way. */
interface Call {
  readonly host: string;
  /** Ids with their partitions. */
  readonly asked: Record<string, string[]>;
  answer(code: ErrorCode): void;
  respond(response: Partial<Response>): void;
  fail(error: Error): void;
}

const STATE_PARTITIONS = 4;

let calls: Call[];
let isReachable: boolean;

beforeEach(() => {
  calls = [];
  isReachable = true;
});

const connector: Connector = {
  connect({ host }) {
    if (!isReachable) return Promise.reject(new ConnectionError('REFUSED', 'nobody is there'));
    const connection = { peer: host, closed: false, versions: () => null, onClose: () => {} };
    const call = (_api: Api, request: Request) =>
      new Promise((resolve, reject) => note(host, request, resolve, reject));
    return Promise.resolve({ ...connection, call, close: () => {} } as unknown as Connection);
  },
};

function note(host: string, { transactions = [] }: Request, resolve: (r: unknown) => void, fail: (e: Error) => void) {
  const asked: Record<string, string[]> = {};
  for (const { transactionalId, topics } of transactions) {
    asked[transactionalId] = topics.flatMap(({ name, partitions }) => partitions.map(id => `${name}-${id}`));
  }
  const respond = (response: Partial<Response>) =>
    resolve({ throttleTimeMs: 0, errorCode: ErrorCode.NONE, resultsByTransaction: [], ...response });
  const answer = (code: ErrorCode) =>
    respond({
      resultsByTransaction: transactions.map(({ transactionalId, topics }) => ({
        transactionalId,
        topicResults: topics.map(({ name, partitions }) => ({
          name,
          resultsByPartition: partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode: code })),
        })),
      })),
    });
  calls.push({ host, asked, respond, fail, answer });
}

/** @param alive brokers 1 to 4 lead one partition of the state topic each */
function verification(alive: readonly number[] = [1, 2, 3, 4]): TxnVerification {
  const partitions = Array.from({ length: STATE_PARTITIONS }, (_, partition) => ({
    topic: TRANSACTION_STATE_TOPIC,
    partition,
    leader: partition + 1,
    replicas: [partition + 1],
  }));
  const config = brokerConfig();
  return new TxnVerification({ config, metadata: knownCluster(alive, partitions), connector });
}

/** A transactional id whose coordinator is broker 1. */
function idOfBroker1(prefix: string): string {
  for (let n = 0; ; n++) if (coordinatorPartition(`${prefix}${n}`, STATE_PARTITIONS) === 0) return `${prefix}${n}`;
}

const [A, B, C] = ['a', 'b', 'c'].map(idOfBroker1) as [string, string, string];
const turn = () => new Promise(setImmediate);

async function verify(verifier: TxnVerification, id: string, ...partitions: number[]) {
  const codes = await verifier.verify(
    id,
    7,
    2,
    partitions.map(partition => ({ topic: 'orders', partition })),
  );
  return Object.fromEntries(codes);
}

test('asks the leader of the id’s partition of __transaction_state, of which it tells the answer', async () => {
  const asking = verify(verification(), A, 0, 3);
  await turn();
  expect(calls.map(({ asked }) => asked)).toEqual([{ [A]: ['orders-0', 'orders-3'] }]);
  expect(calls[0]!.host).toBe('h1');
  const result = (partitionIndex: number, partitionErrorCode: ErrorCode) => ({ partitionIndex, partitionErrorCode });
  calls[0]!.respond({
    resultsByTransaction: [
      {
        transactionalId: A,
        topicResults: [
          { name: 'orders', resultsByPartition: [result(0, 0), result(3, ErrorCode.TRANSACTION_ABORTABLE)] },
        ],
      },
    ],
  });
  expect(await asking).toEqual({ 'orders-0': ErrorCode.NONE, 'orders-3': ErrorCode.TRANSACTION_ABORTABLE });
});

test('has one request at a time under way to a broker; what comes up meanwhile goes with the next, an id once', async () => {
  const verifier = verification();
  const first = verify(verifier, A, 0);
  await turn();
  const others = [verify(verifier, B, 1), verify(verifier, C, 2), verify(verifier, B, 3), verify(verifier, A, 4)];
  await turn();
  expect(calls).toHaveLength(1);
  calls[0]!.answer(ErrorCode.NONE);
  expect(await first).toEqual({ 'orders-0': 0 });
  await turn();
  expect(calls[1]!.asked).toEqual({ [B]: ['orders-1'], [C]: ['orders-2'], [A]: ['orders-4'] });
  calls[1]!.answer(ErrorCode.NONE);
  await turn();
  expect(calls[2]!.asked).toEqual({ [B]: ['orders-3'] });
  calls[2]!.answer(ErrorCode.TRANSACTION_ABORTABLE);
  expect(await Promise.all(others)).toEqual([
    { 'orders-1': 0 },
    { 'orders-2': 0 },
    { 'orders-3': ErrorCode.TRANSACTION_ABORTABLE },
    { 'orders-4': 0 },
  ]);
  const later = verify(verifier, A, 5);
  await turn();
  calls[3]!.answer(ErrorCode.NONE);
  expect(await later).toEqual({ 'orders-5': 0 });
});

test('without a coordinator says so', async () => {
  expect(await verify(verification([2, 3, 4]), A, 0)).toEqual({ 'orders-0': ErrorCode.COORDINATOR_NOT_AVAILABLE });
  expect(calls).toEqual([]);
});

test('says NETWORK_EXCEPTION where the coordinator cannot be reached or does not answer, and asks again the next time', async () => {
  const verifier = verification();
  isReachable = false;
  expect(await verify(verifier, A, 0)).toEqual({ 'orders-0': ErrorCode.NETWORK_EXCEPTION });
  isReachable = true;
  const lost = verify(verifier, A, 0);
  await turn();
  calls[0]!.fail(new ConnectionError('TIMED_OUT', 'no answer'));
  expect(await lost).toEqual({ 'orders-0': ErrorCode.NETWORK_EXCEPTION });
  const asked = verify(verifier, A, 0);
  await turn();
  calls[1]!.answer(ErrorCode.NONE);
  expect(await asked).toEqual({ 'orders-0': ErrorCode.NONE });
});

test.each([
  [ErrorCode.CLUSTER_AUTHORIZATION_FAILED, ErrorCode.INVALID_TXN_STATE],
  [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS],
])('an error %i for the whole request is one for each partition: %i', async (errorCode, told) => {
  const asking = verify(verification(), A, 0, 1);
  await turn();
  calls[0]!.respond({ errorCode });
  expect(await asking).toEqual({ 'orders-0': told, 'orders-1': told });
});

test('asks nobody when the broker stops', async () => {
  const verifier = verification();
  verifier.close();
  expect(await verify(verifier, A, 0)).toEqual({ 'orders-0': ErrorCode.COORDINATOR_LOAD_IN_PROGRESS });
});
