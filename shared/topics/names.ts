/** Longest topic name, chosen by Kafka so that `<topic>-<partition>` and its suffixes fit a file name. */
const MAX_NAME_LENGTH = 249;
const LEGAL = /^[a-zA-Z0-9._-]+$/;

/** Where groups and their offsets are kept. */
export const CONSUMER_OFFSETS_TOPIC = '__consumer_offsets';

/** Where transactional ids and their transactions are kept. */
export const TRANSACTION_STATE_TOPIC = '__transaction_state';

/** Topics in which the coordinators keep their state. */
const INTERNAL_TOPICS: ReadonlySet<string> = new Set([CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC]);

/** Whether a topic may have this name: one sentence on why not, else null (Kafka: `Topic.validate`). */
export function topicNameProblem(name: string): string | null {
  if (name === '') return 'The topic name is empty.';
  if (name === '.' || name === '..') return `A topic cannot be named '.' or '..'.`;
  if (name.length > MAX_NAME_LENGTH) {
    return `The topic name has ${name.length} characters; at most ${MAX_NAME_LENGTH} are allowed.`;
  }
  if (LEGAL.test(name)) return null;
  return `The topic name '${name}' has other characters than ASCII letters and digits, '.', '_' and '-'.`;
}

/**
 * The first of `existing` that differs from `name` only in `.` and `_`, else null: metric names replace the one by the
 * other, so that Kafka refuses such pairs. The name itself is no collision.
 */
export function collidingTopic(name: string, existing: readonly string[]): string | null {
  if (!hasCollisionChars(name)) return null;
  const unified = name.replaceAll('.', '_');
  return existing.find(other => other !== name && other.replaceAll('.', '_') === unified) ?? null;
}

/** Whether the name has `.` or `_`; the tools warn about such names. */
export function hasCollisionChars(name: string): boolean {
  return name.includes('.') || name.includes('_');
}

export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name);
}
