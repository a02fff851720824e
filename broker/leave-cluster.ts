import type { Connector } from '../shared/connection/connection.ts';
import { ErrorCode, errorByCode } from '../shared/protocol/errors.ts';
import { ControlledShutdown } from '../shared/protocol/messages/controlled-shutdown.ts';
import type { Logger } from '../shared/runtime/logger.ts';
import type { Timers } from '../shared/runtime/clock.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';
import { MetadataWaits } from './metadata/metadata-waits.ts';

export interface LeaveClusterParts {
  readonly brokerId: number;
  readonly brokerEpoch: bigint;
  readonly config: BrokerConfig;
  readonly metadata: MetadataCache;
  readonly connector: Connector;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * Controlled shutdown, the stopping broker's side: asks the controller to move all leaderships away, a few times, and
 * goes down regardless when that fails (Kafka: KafkaServer.controlledShutdown).
 */
export async function leaveCluster(parts: LeaveClusterParts): Promise<void> {
  const { config, timers, logger } = parts;
  if (!config.get('controlled.shutdown.enable')) return;
  const attempts = config.get('controlled.shutdown.max.retries') + 1;
  const waits = new MetadataWaits(parts.metadata, timers);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (isAlone(parts)) return;
    const problem = await attemptLeave(parts);
    if (problem === null) return;
    logger.warn({ attempt, attempts }, `controlled shutdown did not succeed: ${problem}`);
    const backoffMs = config.get('controlled.shutdown.retry.backoff.ms');
    if (attempt < attempts) await waits.until(() => isAlone(parts), backoffMs);
  }
}

/** Nobody is left who could take over: waiting would only delay the end, as when a whole cluster is stopped at once. */
function isAlone({ brokerId, metadata }: LeaveClusterParts): boolean {
  return !metadata.aliveBrokers().some(({ id }) => id !== brokerId);
}

/** null when the broker leads nothing any more, else what is in the way. */
async function attemptLeave(parts: LeaveClusterParts): Promise<string | null> {
  const { brokerId, brokerEpoch, config, metadata, connector } = parts;
  const controller = metadata.controllerId;
  const endpoint = controller === null ? null : metadata.endpoint(controller, config.listeners.interBroker);
  if (endpoint === null) return 'no controller is known';
  try {
    const connection = await connector.connect(endpoint);
    try {
      const options = {
        version: ControlledShutdown.versions.max,
        timeoutMs: config.get('controller.socket.timeout.ms'),
      };
      const response = (await connection.call(ControlledShutdown, { brokerId, brokerEpoch }, options))!;
      if (response.errorCode !== ErrorCode.NONE) return errorByCode(response.errorCode).name;
      const { length } = response.remainingPartitions;
      return length === 0 ? null : `${length} partitions are still led here`;
    } finally {
      connection.close();
    }
  } catch (error) {
    return (error as Error).message;
  }
}
