import { connectTo } from '../harness/dialect.ts';
import { sleep } from '../harness/load.ts';
import { cpuSeconds, residentMiB } from '../harness/process-usage.ts';
import { addressOf } from '../harness/test-cluster.ts';
import type { BrokerProcess } from '../../test/support/broker-process.ts';
import { waitFor } from '../../test/support/wait.ts';
import { TARGETS } from './ratio.ts';
import { brokersKnownTo, type Name, type Side } from './side.ts';
import type { BrokerResult } from './tables.ts';

interface Start {
  /** Seconds from the launcher to the line "started". */
  readonly started: number;
  /** Seconds until a client gets its first answer. */
  readonly answered: number;
  readonly cpu: number;
  readonly residentMiB: number;
  /** Cores that the broker takes while there is nothing to do. */
  readonly idleCores: number;
}

/** How often is looked whether it is there: less would take from the broker's own time. */
const LOOK_EVERY_MS = 10;
const SETTLE_MS = 1_500;
const IDLE_MS = 2_000;

/** Stops and starts the first broker of each side in turns. */
export async function startUps(sides: readonly [Side, Side], pairs: number): Promise<BrokerResult[]> {
  const results: Record<Name, Start>[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const samsaFirst = pair % 2 === 0;
    const [first, second] = samsaFirst ? sides : [sides[1], sides[0]];
    const starts = { [first.name]: await start(first.brokers[0]!), [second.name]: await start(second.brokers[0]!) };
    results.push(starts as Record<Name, Start>);
  }
  const of = (number: keyof Start) =>
    results.map(({ Samsa, Kafka }) => ({ Samsa: Samsa[number], Kafka: Kafka[number] }));
  return [
    { name: 'start, until "started"', unit: 's', pairs: of('started'), target: TARGETS.startUp },
    { name: 'start, until a client is answered', unit: 's', pairs: of('answered'), target: TARGETS.startUp },
    { name: 'start, CPU', unit: 's', pairs: of('cpu') },
    { name: 'resident when idle', unit: 'MiB', pairs: of('residentMiB'), target: TARGETS.memory },
    { name: 'idle, CPU', unit: 'cores', pairs: of('idleCores') },
  ];
}

async function start(broker: BrokerProcess): Promise<Start> {
  await broker.stop();
  const timesStarted = () => broker.output.split('] started').length;
  const seen = timesStarted();
  const before = performance.now();
  const secondsUntil = async (what: string, condition: () => boolean | Promise<boolean>) => {
    await waitFor(`broker ${broker.id} to ${what}`, condition, { everyMs: LOOK_EVERY_MS });
    return (performance.now() - before) / 1000;
  };
  broker.spawn();
  const [started, answered] = await Promise.all([
    secondsUntil('say that it has started', () => timesStarted() > seen),
    secondsUntil('answer', () => answers(broker)),
  ]);
  const cpu = cpuSeconds(broker.pid);
  await sleep(SETTLE_MS);
  const settled = cpuSeconds(broker.pid);
  await sleep(IDLE_MS);
  const idleCores = (cpuSeconds(broker.pid) - settled) / (IDLE_MS / 1000);
  return { started, answered, cpu, residentMiB: residentMiB(broker.pid).now, idleCores };
}

/** Whether a new client hears of the broker from the broker itself. */
async function answers(broker: BrokerProcess): Promise<boolean> {
  const connection = await connectTo('kafka', addressOf(broker));
  try {
    return (await brokersKnownTo(connection)).includes(broker.id);
  } finally {
    connection.close();
  }
}
