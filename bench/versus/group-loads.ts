import { kcatConsumeInGroup, javaProduce } from './clients.ts';
import type { Load } from './load.ts';

const REBALANCES = 5;
/** Consumers that commit side by side, and commits of a turn at volume 1. */
const COMMITTERS = 8;
const COMMITS = 8_000;
const CATCH_UP = { records: 300_000, recordBytes: 1024, passes: 3, samples: 1_000 };

const place = (brokers: number) => (brokers === 1 ? '1 broker' : `${brokers} brokers`);

let groups = 0;
/** A name that no group has had, on either side. */
const newGroup = () => `group-${groups++}`;

/** A member more joins a group, and leaves it, some times; its leaving is not in the time, but in the CPU seconds. */
function rebalancing(brokers: 1 | 3, members: number, isQuick = false): Load {
  return {
    name: `a member joins a group of ${members}, ${place(brokers)}`,
    client: 'Java',
    brokers,
    isQuick,
    kind: 'operations',
    partitions: members + 1,
    run: async ({ bootstrap }, topic, { groups: java }) => {
      const [nanos] = await java.ask('rebalance', bootstrap, topic, newGroup(), members, REBALANCES);
      return { bytes: 0, operations: REBALANCES, seconds: Number(nanos) / 1e9 };
    },
  };
}

function committing(brokers: 1 | 3, isQuick = false): Load {
  return {
    name: `commits of one offset, ${COMMITTERS} consumers, ${place(brokers)}`,
    client: 'Java',
    brokers,
    isQuick,
    kind: 'operations',
    run: async ({ bootstrap }, topic, { groups: java, volume }) => {
      const operations = Math.round(COMMITS * volume);
      const [nanos] = await java.ask('commit', bootstrap, topic, newGroup(), COMMITTERS, operations);
      return { bytes: 0, operations, seconds: Number(nanos) / 1e9 };
    },
  };
}

/** What the load `catch up` of the same shape reads by assignment, read by the one member of a new group. */
function catchingUpInGroup(brokers: 1 | 3, isQuick = false): Load {
  const { recordBytes, passes, samples } = CATCH_UP;
  const countOf = (volume: number) => Math.round(CATCH_UP.records * volume);
  return {
    name: `catch up in a group, ${place(brokers)}, 1 KiB, none`,
    client: 'kcat',
    brokers,
    isQuick,
    kind: 'throughput',
    fill: async ({ bootstrap }, topic, { volume, linesOf }) => {
      const what = { bootstrap, topic, acks: 'all', codec: 'none', recordBytes, records: countOf(volume) } as const;
      await javaProduce(what, linesOf(recordBytes, samples));
    },
    run: async ({ bootstrap }, topic, { volume }) => {
      let seconds = 0;
      for (let pass = 0; pass < passes; pass++)
        seconds += await kcatConsumeInGroup(bootstrap, topic, newGroup(), countOf(volume));
      return { bytes: passes * countOf(volume) * recordBytes, seconds };
    },
  };
}

export const GROUP_LOADS: readonly Load[] = [
  catchingUpInGroup(1, true),
  rebalancing(1, 1, true),
  rebalancing(1, 10, true),
  rebalancing(1, 100),
  committing(1, true),
  catchingUpInGroup(3),
  rebalancing(3, 10),
  committing(3),
];
