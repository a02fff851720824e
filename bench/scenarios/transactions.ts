import type { Scenario } from '../harness/scenario.ts';
import { withCluster } from '../harness/test-cluster.ts';
import { produceCosts } from './transaction-produce.ts';
import { rates } from './transaction-rates.ts';
import { readCosts } from './transaction-reads.ts';

export const transactions: Scenario = {
  name: 'transactions',
  what: 'commits of one producer with latencies; CPU of producing in transactions and of reading what is committed',
  async run(options, report) {
    for (const brokers of [1, 3] as const) {
      await withCluster(brokers, cluster => rates(cluster, options, report), replicatedTo(brokers));
    }
    await withCluster(
      1,
      async cluster => {
        await produceCosts(cluster, options, report);
        await readCosts(cluster, options, report);
      },
      replicatedTo(1),
    );
  },
};

/** As a cluster of that size would have it; fewer partitions only shorten the start. */
function replicatedTo(brokers: 1 | 3): Readonly<Record<string, string>> {
  return {
    'transaction.state.log.num.partitions': '5',
    'transaction.state.log.replication.factor': String(brokers),
    'transaction.state.log.min.isr': brokers === 1 ? '1' : '2',
  };
}
