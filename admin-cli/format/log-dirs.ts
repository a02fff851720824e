import type { LogDir } from '../../client/index.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';

/** Kafka's class for the one error that a log directory can have: scripts find it in the JSON. */
const STORAGE_EXCEPTION = 'org.apache.kafka.common.errors.KafkaStorageException';

/** The JSON line of kafka-log-dirs. @param isWanted whether a topic is to be shown */
export function logDirsJson(
  brokers: ReadonlyMap<number, readonly LogDir[]>,
  isWanted: (topic: string) => boolean,
): string {
  return JSON.stringify({
    brokers: Array.from(brokers, ([broker, directories]) => ({
      broker,
      logDirs: directories.map(({ path, error, replicas }) => ({
        partitions: replicas
          .filter(({ topic }) => isWanted(topic))
          .map(({ topic, partition, size, offsetLag, isFuture }) => ({
            partition: partitionKey(topic, partition),
            size,
            offsetLag,
            isFuture,
          })),
        error: error === null ? null : STORAGE_EXCEPTION,
        logDir: path,
      })),
    })),
    version: 1,
  });
}
