import type { Cluster } from '../../cluster/cluster.ts';

/** What a consumer wants to read: topics by name, or those that a pattern matches. */
export type Wanted = readonly string[] | RegExp;

/** Resolves what is wanted into names; a pattern means what there is at the time (internal topics left out, as in Kafka). */
export async function topicsOf(wanted: Wanted, cluster: Cluster, withInternal: boolean): Promise<string[]> {
  if (!(wanted instanceof RegExp)) return [...new Set(wanted)].sort();
  const topics = await cluster.describeTopics(null);
  const whole = new RegExp(`^(?:${wanted.source})$`, wanted.flags.replace(/[gy]/g, ''));
  return topics.filter(({ name, isInternal }) => (withInternal || !isInternal) && whole.test(name)).map(t => t.name);
}
