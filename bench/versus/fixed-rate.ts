import type { JavaPeer } from './java-peer.ts';

export interface FixedRateTurn {
  readonly bootstrap: string;
  readonly topic: string;
  readonly acks: 'all' | '1';
  readonly recordBytes: number;
  readonly recordsPerSecond: number;
  readonly records: number;
  /** How many of the first records do not count. */
  readonly discarded: number;
}

/** Milliseconds from `send()` to the acknowledgement, and to the consumer that waits for the record. */
export interface Latencies {
  readonly records: number;
  readonly ackP50: number;
  readonly ackP99: number;
  readonly readP50: number;
  readonly readP99: number;
}

/** A turn of FixedRate.java: the Java client with default settings. */
export async function atFixedRate(java: JavaPeer, turn: FixedRateTurn): Promise<Latencies> {
  const { bootstrap, topic, acks, recordBytes, recordsPerSecond, records, discarded } = turn;
  const answer = await java.ask(bootstrap, topic, acks, recordBytes, recordsPerSecond, records, discarded);
  const [ackP50, ackP99, readP50, readP99] = answer.map(micros => Number(micros) / 1000);
  return { records, ackP50: ackP50!, ackP99: ackP99!, readP50: readP50!, readP99: readP99! };
}
