import { describe, expect, it } from 'vitest';
import { BrokerMetrics } from '../../../../broker/metrics/broker-metrics.ts';

/** The page's sample lines as an object: name and labels to value. */
async function samples(metrics: BrokerMetrics): Promise<Record<string, number>> {
  const lines = (await metrics.registry.metrics()).split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map(line => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

const topicMetric = (name: string, topic?: string) =>
  `kafka_server_brokertopicmetrics_${name}_total${topic === undefined ? '' : `{topic="${topic}"}`}`;

describe('BrokerMetrics', () => {
  it('counts by topic and over all', async () => {
    const metrics = new BrokerMetrics();
    metrics.topic('a').produced(3, 100);
    metrics.topic('a').produced(1, 10);
    metrics.topic('b').produced(1, 5);
    metrics.topic('b').fetched(7);
    metrics.topic('b').replicatedOut(70, false);
    metrics.topic('b').replicatedOut(20, true);
    metrics.topic('b').replicatedIn(700, false);
    metrics.topic('b').replicatedIn(200, true);
    metrics.allTopics.produceFailed(9);
    const page = await samples(metrics);
    expect(page[topicMetric('messagesin', 'a')]).toBe(4);
    expect(page[topicMetric('bytesin', 'a')]).toBe(110);
    expect(page[topicMetric('bytesin')]).toBe(115);
    expect(page[topicMetric('bytesout', 'b')]).toBe(7);
    expect(page[topicMetric('replicationbytesout', 'b')]).toBe(90);
    expect(page[topicMetric('replicationbytesin')]).toBe(900);
    expect(page[topicMetric('reassignmentbytesout', 'b')]).toBe(20);
    expect(page[topicMetric('reassignmentbytesin')]).toBe(200);
    expect(page[topicMetric('totalfetchrequests', 'b')]).toBe(3);
    expect(page[topicMetric('failedproducerequests')]).toBe(1);
    expect(page[topicMetric('failedproducerequests', 'a')]).toBe(0);
    expect(page[topicMetric('bytesrejected')]).toBe(9);
    expect(page[topicMetric('totalproducerequests')]).toBe(4);
  });

  it('shows the same numbers again when nothing happened', async () => {
    const metrics = new BrokerMetrics();
    metrics.topic('a').fetchFailed();
    metrics.count('isrShrinks', 2);
    const first = await samples(metrics);
    expect(await samples(metrics)).toEqual(first);
    expect(first['kafka_server_replicamanager_isrshrinks_total']).toBe(2);
    expect(first['kafka_server_replicamanager_isrexpands_total']).toBe(0);
  });

  it('forgets the labels of a topic that went, not what it adds up to', async () => {
    const metrics = new BrokerMetrics();
    metrics.topic('gone').produced(1, 10);
    await samples(metrics);
    metrics.removeTopic('gone');
    const page = await samples(metrics);
    expect(Object.keys(page).filter(name => name.includes('gone'))).toEqual([]);
    expect(page[topicMetric('bytesin')]).toBe(10);
    expect(metrics.topic('gone').counts.bytesIn).toBe(0);
  });

  it('reads gauges when asked, and shows only those that were given', async () => {
    const metrics = new BrokerMetrics();
    let partitions = 1;
    metrics.expose('underReplicatedPartitions', () => partitions);
    const name = 'kafka_server_replicamanager_underreplicatedpartitions';
    expect((await samples(metrics))[name]).toBe(1);
    partitions = 5;
    expect((await samples(metrics))[name]).toBe(5);
    expect(Object.keys(await samples(metrics)).some(key => key.includes('activecontrollercount'))).toBe(false);
  });

  it('sorts request times by API into a histogram', async () => {
    const metrics = new BrokerMetrics();
    metrics.requestCompleted('Produce', 3);
    metrics.requestCompleted('Produce', 300);
    metrics.requestCompleted('Fetch', 0.1);
    const page = await samples(metrics);
    const name = 'kafka_network_requestmetrics_totaltimems';
    expect(page[`${name}_count{request="Produce"}`]).toBe(2);
    expect(page[`${name}_sum{request="Produce"}`]).toBe(303);
    expect(page[`${name}_bucket{le="5",request="Produce"}`]).toBe(1);
    expect(page[`${name}_bucket{le="0.5",request="Fetch"}`]).toBe(1);
  });

  it('keeps brokers of one process apart, and shows the process when asked to', async () => {
    const [one, two] = [new BrokerMetrics(), new BrokerMetrics()];
    one.topic('a').produced(1, 1);
    expect((await samples(two))[topicMetric('bytesin')]).toBe(0);
    one.exposeProcess();
    expect(await samples(one)).toHaveProperty('nodejs_eventloop_lag_max_seconds');
    expect(await samples(two)).not.toHaveProperty('nodejs_eventloop_lag_max_seconds');
  });
});
