import { KafkaError } from '../../client/errors.ts';
import type { Consumer, TopicInfo } from '../../client/index.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { ToolFailure } from '../support/tool.ts';
import type { Selection } from './options.ts';

/** Sees to it that the consumer reads what was selected. */
export interface Assigning {
  /** Tells whether there is something to read by now; to be called again from time to time. @throws ToolFailure */
  assign(): Promise<boolean>;
}

/** What the group gives; the consumer looks after it itself. */
export function throughGroup(consumer: Consumer, { topics }: Selection): Assigning {
  consumer.subscribe('matches' in topics ? topics.matches : [topics.name]);
  return { assign: () => Promise.resolve(true) };
}

/**
 * All partitions of what was selected, or the one: at the start, and again from time to time, because topics and
 * partitions come and go.
 */
export class Assigner implements Assigning {
  readonly #consumer: Consumer;
  readonly #selection: Selection;
  readonly #logger: Logger;

  constructor(consumer: Consumer, selection: Selection, logger: Logger) {
    this.#consumer = consumer;
    this.#selection = selection;
    this.#logger = logger;
  }

  /** Tells whether there is something to read by now. @throws ToolFailure for a partition that the topic does not have */
  async assign(): Promise<boolean> {
    const { partition, start } = this.#selection;
    const found = await this.#partitions();
    const [first] = found;
    if (first === undefined) return false;
    const isFirstTime = this.#consumer.assignment().length === 0;
    this.#consumer.assign(found);
    // Without --partition all begin where auto.offset.reset says, also those that appear later.
    if (partition !== null && isFirstTime) {
      if (typeof start === 'number') this.#consumer.seek(first.topic, first.partition, start);
      else if (start === 'earliest') this.#consumer.seekToBeginning();
      else this.#consumer.seekToEnd();
    }
    return true;
  }

  async #partitions(): Promise<{ topic: string; partition: number }[]> {
    const { topics, partition, withInternal } = this.#selection;
    if ('matches' in topics) {
      const all = (await this.#consumer.listTopics()).filter(
        ({ name, isInternal }) => (withInternal || !isInternal) && topics.matches.test(name),
      );
      return all.flatMap(allPartitions);
    }
    const info = await this.#topic(topics.name);
    if (info === null || partition === null) return info === null ? [] : allPartitions(info);
    if (info.partitions[partition] !== undefined) return [{ topic: info.name, partition }];
    throw new ToolFailure(`Topic ${info.name} has partitions 0 to ${info.partitions.length - 1}, not ${partition}`);
  }

  /** null while no such topic exists: it may still be created. */
  async #topic(name: string): Promise<Pick<TopicInfo, 'name' | 'partitions'> | null> {
    try {
      return { name, partitions: await this.#consumer.partitionsFor(name) };
    } catch (error) {
      if (!(error instanceof KafkaError) || !error.retriable) throw error;
      this.#logger.warn(`Topic ${name} cannot be read yet (${error.codeName}): ${error.message}`);
      return null;
    }
  }
}

function allPartitions({
  name,
  partitions,
}: Pick<TopicInfo, 'name' | 'partitions'>): { topic: string; partition: number }[] {
  return partitions.map(({ partition }) => ({ topic: name, partition }));
}
