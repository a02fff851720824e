import { measured, type Load, type Turn, type Workshop } from './load.ts';
import type { Side } from './side.ts';

/** A turn of Samsa and the turn of Kafka that was next to it. */
export interface Pair {
  readonly Samsa: Turn;
  readonly Kafka: Turn;
}

/**
 * Gives both sides their turns: A B, B A, A B, … so that neither is always the one that comes after the other. Both clusters
 * run all the time, the one whose turn it is not without work: what was stopped would come back cold, to its compilers and to
 * the page cache. What an idle broker uses is a line of the table. One turn of each before the first pair does not count.
 */
export async function inPairs(
  load: Load,
  sides: readonly [Side, Side],
  pairs: number,
  workshop: Workshop,
): Promise<Pair[]> {
  const samsa = await turnsOf(load, sides[0], workshop);
  const kafka = await turnsOf(load, sides[1], workshop);
  await samsa.next();
  await kafka.next();
  const results: Pair[] = [];
  for (let pair = 0; pair < pairs; pair++) results.push(await nextPair(samsa, kafka, pair % 2 === 0));
  await samsa.close();
  await kafka.close();
  return results;
}

async function nextPair(samsa: Turns, kafka: Turns, samsaFirst: boolean): Promise<Pair> {
  if (samsaFirst) {
    const first = await samsa.next();
    return { Samsa: first, Kafka: await kafka.next() };
  }
  const first = await kafka.next();
  return { Kafka: first, Samsa: await samsa.next() };
}

interface Turns {
  next(): Promise<Turn>;
  close(): Promise<void>;
}

/** The turns of one side: with a topic that is filled once and read by all, or with a new one for each. */
async function turnsOf({ fill, run, partitions }: Load, side: Side, workshop: Workshop): Promise<Turns> {
  if (fill === undefined) {
    const next = async () => {
      const topic = await side.createTopic(partitions);
      const turn = await measured(side, workshop, () => run(side, topic, workshop));
      await side.deleteTopic(topic);
      return turn;
    };
    return { next, close: async () => {} };
  }
  const topic = await side.createTopic(partitions);
  await fill(side, topic, workshop);
  return {
    next: () => measured(side, workshop, () => run(side, topic, workshop)),
    close: () => side.deleteTopic(topic),
  };
}
