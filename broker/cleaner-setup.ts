import type { BrokerConfig } from './config/broker-config.ts';
import type { Platform } from './platform.ts';
import type { CleanerSetup } from './storage/storage-setup.ts';

/** Compaction as the settings, which may change, have it. */
export function cleanerSetup(config: BrokerConfig, platform: Platform): CleanerSetup {
  return {
    options: () => ({
      threads: config.get('log.cleaner.threads'),
      dedupeBufferBytes: config.get('log.cleaner.dedupe.buffer.size'),
      loadFactor: config.get('log.cleaner.io.buffer.load.factor'),
      ioBufferBytes: config.get('log.cleaner.io.buffer.size'),
      backoffMs: config.get('log.cleaner.backoff.ms'),
    }),
    executor: () =>
      platform.cleaningExecutor(
        () => config.get('log.cleaner.io.max.bytes.per.second') / config.get('log.cleaner.threads'),
      ),
  };
}
