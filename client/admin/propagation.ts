import type { Cluster } from '../cluster/cluster.ts';
import type { TopicInfo } from '../cluster/cluster-view.ts';

/** What brokers should have heard of a topic; undefined stands for a topic that the broker does not know. */
export type Heard = (topic: TopicInfo | undefined) => boolean;

/**
 * Waits until every broker has heard of a change of topics. The controller answers when it is done itself and has told the
 * others, who may take a moment: whoever asks one of them next, from this process or another, would be told of the state
 * before. Apache Kafka leaves that to the caller (`Admin.createTopics`: "it may take several seconds").
 *
 * The change itself has succeeded, so this never fails: a broker that cannot be reached is passed over, and `deadline`
 * (monotonic milliseconds) ends the wait for one that never hears of it.
 */
export async function untilAllHaveHeard(
  cluster: Cluster,
  names: readonly string[],
  heard: Heard,
  deadline: number,
): Promise<void> {
  await Promise.all(cluster.brokers().map(({ id }) => untilHeard(cluster, id, names, heard, deadline)));
}

async function untilHeard(
  cluster: Cluster,
  brokerId: number,
  names: readonly string[],
  heard: Heard,
  deadline: number,
): Promise<void> {
  try {
    for (let attempt = 1; ; attempt++) {
      const timeoutMs = deadline - cluster.runtime.clock.monotonic();
      const known = await cluster.topicsAt(brokerId, names, timeoutMs);
      if (names.every(name => heard(known.get(name)))) return;
      await cluster.pause(attempt, deadline, null, `broker ${brokerId} has not heard of a change`);
    }
  } catch (error) {
    cluster.runtime.logger.debug({ err: error, brokerId }, 'not waiting for a broker to hear of a change of topics');
  }
}
