/** How many records a burst has at most, before the loop gets to send and to hear of acknowledgements. */
const BURST = 250;

/**
 * How many records may go now, to hold a rate from the start on, so that what was missed is made up for; 0: none yet
 * (Kafka: `ThroughputThrottler`).
 * @param rate records a second; 0 or less: as fast as it goes
 */
export function burst(rate: number, sent: number, elapsedMs: number): number {
  if (rate <= 0) return BURST;
  const due = Math.floor((rate * elapsedMs) / 1000) + 1 - sent;
  return Math.max(0, Math.min(BURST, due));
}
