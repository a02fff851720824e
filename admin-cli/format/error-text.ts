import { KafkaError } from '../../client/errors.ts';

/** An error as the tools show it: Kafka's name of it in front, if it has one. */
export function errorText(error: unknown): string {
  if (error instanceof KafkaError) return `${error.codeName}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
