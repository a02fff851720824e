import type { Logger } from '../shared/runtime/logger.ts';

/** Closes what the application has lent to a client; what that throws is logged, no more. */
export function closeQuietly(lent: readonly ({ close?(): void } | undefined)[], logger: Logger): void {
  for (const part of lent) {
    try {
      part?.close?.();
    } catch (error) {
      logger.warn({ err: error }, 'an interceptor or a serializer could not be closed');
    }
  }
}
