/** Levels by Kafka's names, the least severe first; `OFF` says nothing at all. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'OFF'] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];

/** The logger to which others fall back. */
export const ROOT_LOGGER = 'root';

/** From which severity on a logger speaks: an index into `LOG_LEVELS`. Asked at each line, so that it may change. */
export interface LogThreshold {
  readonly severity: number;
}

/**
 * The loggers of a process by name, and their levels, which may change while it runs (KIP-412). A logger without a level
 * of its own has that of `root`.
 */
export class LogLevels {
  readonly #own = new Map<string, number>();
  readonly #thresholds = new Map<string, LogThreshold>();

  constructor(root: LogLevelName) {
    this.#own.set(ROOT_LOGGER, LOG_LEVELS.indexOf(root));
  }

  /** The threshold of a logger, which is known from now on. */
  threshold(name: string): LogThreshold {
    const known = this.#thresholds.get(name);
    if (known !== undefined) return known;
    const severityOf = () => this.#severity(name);
    const threshold = {
      get severity() {
        return severityOf();
      },
    };
    this.#thresholds.set(name, threshold);
    return threshold;
  }

  #severity(name: string): number {
    return this.#own.get(name) ?? this.#own.get(ROOT_LOGGER)!;
  }

  has(name: string): boolean {
    return name === ROOT_LOGGER || this.#thresholds.has(name);
  }

  /** All loggers with their levels, by name. */
  all(): [name: string, level: LogLevelName][] {
    const names = new Set([ROOT_LOGGER, ...this.#thresholds.keys()]);
    return [...names].sort().map(name => [name, LOG_LEVELS[this.#severity(name)]!]);
  }

  set(name: string, level: LogLevelName): void {
    this.#own.set(name, LOG_LEVELS.indexOf(level));
  }

  /** Takes a logger's own level away; `root` keeps its. */
  unset(name: string): void {
    if (name !== ROOT_LOGGER) this.#own.delete(name);
  }
}
