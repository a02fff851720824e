import type { PartitionLog } from '../../broker/storage/partition-log.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { readAll } from '../unit/broker/storage/support.ts';
import type { SimulatedBroker } from './simulated-broker.ts';
import { committedRecords } from '../support/committed-records.ts';
import { ALL_PARTITIONS, PARTITIONS, TRANSFER_PARTITIONS } from './topics.ts';
import type { Cast } from './cast.ts';
import type { Tellers } from './tellers.ts';
import type { World } from './world.ts';

/** Milliseconds in which a cluster has to be well again once nothing is wrong any more. */
const RECOVERY_MS = 120_000;

/** Waits until everything is as it was before the trouble. @throws Error saying what is not */
export async function recover(world: World): Promise<void> {
  const { time, brokers } = world;
  // An operator starts what is down, and anew what has lost a directory.
  const restart = time.every(1_000, () => {
    world.forgetLostPower();
    for (const broker of brokers) {
      if ((broker.rooms?.logs.offlineDirectories.length ?? 0) > 0) broker.kill();
      if (!broker.lostPower) broker.start();
    }
  });
  const end = time.now() + RECOVERY_MS;
  for (let problem = unwell(world); problem !== null; problem = unwell(world)) {
    if (time.now() > end) throw new Error(`does not recover: ${problem}`);
    await time.sleep(250);
  }
  restart.cancel();
}

function unwell(world: World): string | null {
  const { brokers } = world;
  const absent = brokers.find(({ rooms }) => rooms === null);
  if (absent !== undefined) return `${absent.name} is not up`;
  for (const { topic, partition } of ALL_PARTITIONS) {
    const state = world.partitionState(topic, partition);
    if (state === null || state.leader < 0 || state.isr.length < brokers.length)
      return `${topic}-${partition} has leader ${state?.leader}, ISR ${state?.isr.join()}`;
    const ignorant = brokers.find(({ rooms }) => {
      const known = rooms!.metadata.partition(topic, partition);
      return known?.leader !== state.leader || known.leaderEpoch !== state.leaderEpoch;
    });
    if (ignorant !== undefined) return `${ignorant.name} does not know the leader of ${topic}-${partition}`;
  }
  return null;
}

/** Waits until all replicas have everything and know that all have. @throws Error */
export async function settle(world: World): Promise<void> {
  const end = world.time.now() + RECOVERY_MS;
  for (;;) {
    const restless = ALL_PARTITIONS.filter(({ topic, partition }) => {
      const logs = world.brokers.map(broker => logOf(broker, topic, partition));
      const [first] = logs;
      return logs.some(
        log => log?.logEndOffset !== first?.logEndOffset || log === undefined || log.highWatermark !== log.logEndOffset,
      );
    });
    if (restless.length === 0) return;
    if (world.time.now() > end)
      throw new Error(`replicas do not come to rest: ${restless.map(p => partitionKey(p.topic, p.partition)).join()}`);
    await world.time.sleep(250);
  }
}

function logOf({ rooms }: SimulatedBroker, topic: string, partition: number): PartitionLog | undefined {
  return rooms?.logs.getLog(topic, partition) ?? undefined;
}

/** Compares what clients were told with what is there, and the replicas with each other. */
export async function violations({ world, workload, team, tellers }: Cast): Promise<string[]> {
  const problems = [...workload.history.problems, ...team.history.problems, ...tellers.history.problems];
  problems.push(...world.bugs.map(error => `a bug: ${String(error)}`));
  for (const { topic, partition } of PARTITIONS) {
    const key = partitionKey(topic, partition);
    const records = await readAll(logOf(world.brokers[0]!, topic, partition)!);
    const byOffset = new Map(records.map(({ offset, value }) => [offset, value]));
    problems.push(...workload.history.check(key, byOffset), ...team.history.unread(key, byOffset));
  }
  problems.push(...brokenTransfers(world, tellers));
  for (const { topic, partition } of ALL_PARTITIONS) {
    const key = partitionKey(topic, partition);
    const [first, ...others] = world.brokers;
    const bytes = bytesOf(first!, topic, partition);
    for (const other of others) {
      if (!bytesOf(other, topic, partition).equals(bytes))
        problems.push(`${key}: the log bytes of ${first!.name} and ${other.name} differ`);
    }
  }
  return problems;
}

/** Transactions are judged by what lies in the logs, and the brokers' idea of what is stable by that, too. */
function brokenTransfers(world: World, { history }: Tellers): string[] {
  const [broker] = world.brokers;
  const problems: string[] = [];
  const committed = new Map<string, ReadonlyMap<number, string>>();
  for (const { topic, partition } of TRANSFER_PARTITIONS) {
    const key = partitionKey(topic, partition);
    const { values, open } = committedRecords(bytesOf(broker!, topic, partition));
    committed.set(key, values);
    if (open.length > 0) problems.push(`${key}: producers ${open.join()} have a transaction that nobody ends`);
  }
  return [...problems, ...history.check(committed)];
}

/** All segments of a replica, one after the other. */
function bytesOf(broker: SimulatedBroker, topic: string, partition: number): Buffer {
  const directory = `${logOf(broker, topic, partition)!.directory}/${partitionKey(topic, partition)}`;
  const segments = broker.fs
    .list(directory)
    .map(({ name }) => name)
    .filter(name => name.endsWith('.log'))
    .sort();
  if (segments.length === 0) throw new Error(`${broker.name} has no segment in ${directory}`);
  return Buffer.concat(segments.map(name => broker.fs.readFile(`${directory}/${name}`)));
}
