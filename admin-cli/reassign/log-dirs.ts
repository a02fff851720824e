import { setTimeout as sleep } from 'node:timers/promises';
import { KafkaError } from '../../client/errors.ts';
import type { Admin } from '../../client/index.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { errorText } from '../format/error-text.ts';
import type { LogDirState } from '../format/reassignment.ts';
import { failure, type LogDirOrder } from './input.ts';
import { print } from './print.ts';

const RETRY_MS = 100;

/** Where the logs are and where they move to. */
export async function logDirStates(admin: Admin, orders: readonly LogDirOrder[]): Promise<LogDirState[]> {
  const described = await admin.describeLogDirs([...new Set(orders.map(({ broker }) => broker))]);
  return orders.map(({ topic, partition, broker, directory }) => {
    const dirs = described.get(broker) ?? [];
    const find = (isFuture: boolean) =>
      dirs.find(({ replicas }) =>
        replicas.some(log => log.topic === topic && log.partition === partition && log.isFuture === isFuture),
      )?.path ?? null;
    return { topic, partition, broker, target: directory, current: find(false), future: find(true) };
  });
}

/**
 * Starts moves between log directories. A replica that is not there yet is asked for again until it is.
 * @throws ToolFailure naming what could not be started within `timeoutMs`
 */
export async function startLogDirMoves(admin: Admin, orders: readonly LogDirOrder[], timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let pending = await startOnce(admin, orders);
  while (pending.length > 0) {
    if (Date.now() >= deadline) {
      const names = pending.map(({ topic, partition, broker }) => `${partitionKey(topic, partition)}-${broker}`);
      throw failure(`Timed out before the log directory moves could be started for: ${names.sort().join()}`);
    }
    await sleep(RETRY_MS);
    pending = await startOnce(admin, pending);
  }
}

/** @returns the orders for replicas that are not there yet */
async function startOnce(admin: Admin, orders: readonly LogDirOrder[]): Promise<LogDirOrder[]> {
  const outcomes = await admin.alterReplicaLogDirs(orders);
  return orders.filter(({ topic, partition, broker, directory }, index) => {
    const outcome = outcomes[index]!;
    const replica = `replica ${partitionKey(topic, partition)} with broker ${broker}`;
    if (outcome.status === 'fulfilled') {
      print(`Successfully started moving log directory to ${directory} for ${replica} `);
      return false;
    }
    const isMissing = outcome.reason instanceof KafkaError && outcome.reason.codeName === 'REPLICA_NOT_AVAILABLE';
    if (!isMissing) throw failure(`The log directory of ${replica} could not be changed: ${errorText(outcome.reason)}`);
    return true;
  });
}
