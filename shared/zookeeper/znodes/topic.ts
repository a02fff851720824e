import { asIntegers, asObject, encodeJson, integerEntries, parseObject } from './json.ts';

/**
 * Where a partition's replicas are. During a reassignment `replicas` holds old and new ones, with those to be added or
 * removed listed beside (KIP-455); otherwise both lists are empty. The first replica is the preferred leader.
 */
export interface ReplicaAssignment {
  readonly replicas: readonly number[];
  readonly adding: readonly number[];
  readonly removing: readonly number[];
}

export interface TopicAssignment {
  /** 16 bytes as URL-safe base64 without padding, 22 characters; null for a topic from before topic ids (KIP-516). */
  readonly topicId: string | null;
  readonly partitions: ReadonlyMap<number, ReplicaAssignment>;
}

/** Version written: with adding and removing replicas and a topic id. */
const VERSION = 3;

export function encodeTopic({ topicId, partitions }: TopicAssignment): Buffer {
  const entries = [...partitions];
  return encodeJson({
    version: VERSION,
    ...(topicId === null ? {} : { topic_id: topicId }),
    partitions: Object.fromEntries(entries.map(([id, { replicas }]) => [id, replicas])),
    adding_replicas: Object.fromEntries(
      entries.filter(([, a]) => a.adding.length > 0).map(([id, a]) => [id, a.adding]),
    ),
    removing_replicas: Object.fromEntries(
      entries.filter(([, a]) => a.removing.length > 0).map(([id, a]) => [id, a.removing]),
    ),
  });
}

/** Reads versions 1 to 3. As in Kafka, what cannot be read is a topic without partitions, never an error. */
export function decodeTopic(data: Buffer | null): TopicAssignment {
  const json = parseObject(data) ?? {};
  const adding = asObject(json.adding_replicas) ?? {};
  const removing = asObject(json.removing_replicas) ?? {};
  const partitions = new Map<number, ReplicaAssignment>();
  for (const [partition, value] of integerEntries(json.partitions)) {
    const replicas = asIntegers(value);
    if (replicas === null) continue;
    partitions.set(partition, {
      replicas,
      adding: asIntegers(adding[partition]) ?? [],
      removing: asIntegers(removing[partition]) ?? [],
    });
  }
  return { topicId: typeof json.topic_id === 'string' ? json.topic_id : null, partitions };
}
