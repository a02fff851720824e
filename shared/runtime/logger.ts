import type { LogLevels } from './log-levels.ts';

/**
 * Logging as a seam: the part of pino's interface that the rooms use. One line an event; the first argument carries
 * the fields (`err` for an Error), the second says what happened. Nothing per request at info.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  debug(message: string): void;
  info(fields: object, message: string): void;
  info(message: string): void;
  warn(fields: object, message: string): void;
  warn(message: string): void;
  error(fields: object, message: string): void;
  error(message: string): void;
  fatal(fields: object, message: string): void;
  fatal(message: string): void;
  /** Where the levels of this and the other loggers can be changed; not there where they cannot. */
  readonly levels?: LogLevels;
  /** A logger that adds `fields` to every line; by convention `{ component: 'storage' }`. */
  child(fields: object): Logger;
}

const ignore = () => {};

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  fatal: ignore,
  child: () => silentLogger,
};
