import { createRequire } from 'node:module';
import { pino, type DestinationStream, type Logger as PinoLogger, type LoggerOptions } from 'pino';
import type * as PinoPrettyModule from 'pino-pretty';
import { LOG_LEVELS, LogLevels, ROOT_LOGGER, type LogLevelName, type LogThreshold } from './log-levels.ts';
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
    // What is shown is decided before pino is asked, by levels that may change.
    level: 'trace',
    base: brokerId === undefined ? {} : { broker: brokerId },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
  };
  const levels = new LogLevels(level === 'silent' ? 'OFF' : (level.toUpperCase() as LogLevelName));
  return new LeveledLogger(pino(options, destinationOf(pretty, destination)), levels, ROOT_LOGGER);
}

const [, DEBUG, INFO, WARN, ERROR, FATAL] = LOG_LEVELS.map((_, severity) => severity) as [
  number,
  number,
  number,
  number,
  number,
  number,
];
/** Loggers are named as Kafka names its packages: `kafka.controller`. */
const PACKAGE = 'kafka.';

/** A pino logger that is silent below a level that may change. */
class LeveledLogger implements Logger {
  readonly levels: LogLevels;
  readonly #pino: PinoLogger;
  readonly #name: string;
  readonly #threshold: LogThreshold;

  constructor(logger: PinoLogger, levels: LogLevels, name: string) {
    this.levels = levels;
    this.#pino = logger;
    this.#name = name;
    this.#threshold = levels.threshold(name);
  }

  debug(fields: object | string, message?: string): void {
    if (this.#threshold.severity <= DEBUG) this.#pino.debug(fields as object, message);
  }

  info(fields: object | string, message?: string): void {
    if (this.#threshold.severity <= INFO) this.#pino.info(fields as object, message);
  }

  warn(fields: object | string, message?: string): void {
    if (this.#threshold.severity <= WARN) this.#pino.warn(fields as object, message);
  }

  error(fields: object | string, message?: string): void {
    if (this.#threshold.severity <= ERROR) this.#pino.error(fields as object, message);
  }

  fatal(fields: object | string, message?: string): void {
    if (this.#threshold.severity <= FATAL) this.#pino.fatal(fields as object, message);
  }

  child(fields: object): Logger {
    const { component } = fields as { readonly component?: string };
    const name = component === undefined ? this.#name : PACKAGE + component;
    return new LeveledLogger(this.#pino.child(fields), this.levels, name);
  }
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
