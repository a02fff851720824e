import { createRequire } from 'node:module';
import { pino, type DestinationStream, type LoggerOptions } from 'pino';
import type * as PinoPrettyModule from 'pino-pretty';
import type { Logger } from './logger.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LEVELS)[number];

export interface LoggerSettings {
  readonly level: LogLevel;
  /** Written into every line. */
  readonly brokerId?: number;
  /** Lines for people instead of JSON: for terminals. */
  readonly pretty: boolean;
  /** Where the lines go; by default standard output. */
  readonly destination?: NodeJS.WritableStream;
}

/**
 * The level that `SAMSA_LOG_LEVEL`, else `LOG_LEVEL`, names in any case; `info` when neither does. Kafka keeps this in
 * a file of its Java logging library, not in server.properties, so that no classic key could be used.
 */
export function logLevelFrom(environment: Readonly<Record<string, string | undefined>>): LogLevel {
  const wanted = (environment['SAMSA_LOG_LEVEL'] ?? environment['LOG_LEVEL'] ?? '').toLowerCase();
  return LEVELS.find(level => level === wanted) ?? 'info';
}

/**
 * A pino logger: one JSON line an event, with the level's name and ISO time. Lines are written synchronously, so that
 * none is lost when the process dies.
 */
export function createLogger({ level, brokerId, pretty, destination }: LoggerSettings): Logger {
  const options: LoggerOptions = {
    level,
    base: brokerId === undefined ? {} : { broker: brokerId },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
  };
  return pino(options, destinationOf(pretty, destination));
}

function destinationOf(pretty: boolean, destination: NodeJS.WritableStream | undefined): DestinationStream {
  const out = destination ?? pino.destination({ dest: 1, sync: true });
  if (!pretty) return out;
  // Loaded only here: a broker that starts in the background need not wait for it.
  const { PinoPretty } = createRequire(import.meta.url)('pino-pretty') as typeof PinoPrettyModule;
  return PinoPretty({
    colorize: destination === undefined,
    destination: out,
    sync: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'broker,component',
    messageFormat: (line, messageKey) => {
      const fields = line as Partial<Record<string, string | number>>;
      const broker = fields['broker'] === undefined ? '' : `[${fields['broker']}] `;
      const component = fields['component'] === undefined ? '' : `${fields['component']}: `;
      return `${broker}${component}${fields[messageKey] ?? ''}`;
    },
  });
}
