import { UsageError } from '../support/tool.ts';

/** A topic as --topic names it; null partitions stand for all of them. */
export interface TopicArgument {
  readonly topic: string;
  readonly partitions: readonly number[] | null;
}

/** Parses `orders` and `orders:0,1`. @throws UsageError in Kafka's words */
export function parseTopicArgument(text: string): TopicArgument {
  const at = text.indexOf(':');
  if (at < 0) return { topic: text, partitions: null };
  const topic = text.slice(0, at);
  const list = text.slice(at + 1);
  if (topic === '' || list === '' || list.includes(':'))
    throw new UsageError(`Invalid topic arg '${text}', expected topic name and partitions`);
  const partitions = list.split(',').map(part => {
    if (/^\d+$/.test(part)) return Number(part);
    throw new UsageError(`Invalid partition '${part}' specified in topic arg '${text}'`);
  });
  return { topic, partitions: [...new Set(partitions)] };
}
