import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { ClientConfigValues, ClientSettings } from '../config.ts';
import { KafkaError } from '../errors.ts';

/** How many batches of a producer a broker remembers for each partition. */
const MOST_IN_FLIGHT = 5;

/**
 * Whether the producer is to be idempotent. Asked for, it contradicts some settings; being only the default, it gives way
 * to them (Kafka: `ProducerConfig.postProcessAndValidateIdempotenceConfigs`).
 * @param tell is told in one sentence why the default does not hold
 * @throws KafkaError INVALID_CONFIG naming what contradicts
 */
export function wantsIdempotence(
  settings: ClientSettings,
  config: ClientConfigValues,
  tell: (why: string) => void,
): boolean {
  if (!config['enable.idempotence']) return false;
  const obstacle = obstacleOf(config);
  if (obstacle === null) return true;
  const isAskedFor = settings['enable.idempotence'] !== undefined && settings['enable.idempotence'] !== null;
  if (isAskedFor) throw new KafkaError(ErrorCode.INVALID_CONFIG, `enable.idempotence=true needs ${obstacle}.`);
  tell(`The producer is not idempotent: that would need ${obstacle}.`);
  return false;
}

function obstacleOf(config: ClientConfigValues): string | null {
  const inFlight = config['max.in.flight.requests.per.connection'];
  if (config.acks !== 'all' && config.acks !== '-1') return `acks=all, but acks is ${config.acks}`;
  if (config.retries === 0) return 'retries above 0, but retries is 0';
  if (inFlight <= MOST_IN_FLIGHT) return null;
  return `max.in.flight.requests.per.connection of at most ${MOST_IN_FLIGHT}, but it is ${inFlight}`;
}
