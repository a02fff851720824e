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
  const isTransactional = config['transactional.id'] !== '';
  const obstacle = obstacleOf(config, isTransactional);
  if (isTransactional && obstacle !== null)
    throw new KafkaError(ErrorCode.INVALID_CONFIG, `A producer with a transactional.id needs ${obstacle}.`);
  if (!config['enable.idempotence']) return false;
  if (obstacle === null) return true;
  const isAskedFor = settings['enable.idempotence'] !== undefined && settings['enable.idempotence'] !== null;
  if (isAskedFor) throw new KafkaError(ErrorCode.INVALID_CONFIG, `enable.idempotence=true needs ${obstacle}.`);
  tell(`The producer is not idempotent: that would need ${obstacle}.`);
  return false;
}

function obstacleOf(config: ClientConfigValues, isTransactional: boolean): string | null {
  const inFlight = config['max.in.flight.requests.per.connection'];
  if (isTransactional && !config['enable.idempotence']) return 'enable.idempotence=true';
  if (config.acks !== 'all' && config.acks !== '-1') return `acks=all, but acks is ${config.acks}`;
  if (config.retries === 0) return 'retries above 0, but retries is 0';
  if (inFlight <= MOST_IN_FLIGHT) return null;
  return `max.in.flight.requests.per.connection of at most ${MOST_IN_FLIGHT}, but it is ${inFlight}`;
}
