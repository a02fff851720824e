import type { ConfigDescription } from '../../shared/config/description.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { LOG_LEVELS, ROOT_LOGGER, type LogLevelName, type LogLevels } from '../../shared/runtime/log-levels.ts';
import { AdminError } from './admin-error.ts';
import type { SettingChange } from './config-alteration.ts';

/** The levels of this broker's loggers as a resource with settings (KIP-412). They last until the broker stops. */
export class LoggerLevels {
  readonly #brokerId: number;
  readonly #levels: LogLevels | undefined;

  /** @param levels undefined where the logger has none to change */
  constructor(brokerId: number, levels: LogLevels | undefined) {
    this.#brokerId = brokerId;
    this.#levels = levels;
  }

  /** @throws AdminError unless `broker` is this one */
  describe(broker: string): ConfigDescription[] {
    this.#requireOwn(broker);
    return (this.#levels?.all() ?? []).map(([name, value]) => ({
      name,
      value,
      source: 'DYNAMIC_BROKER_LOGGER_CONFIG',
      synonyms: [],
      readOnly: false,
      sensitive: false,
      type: 'string',
      doc: '',
    }));
  }

  /** @throws AdminError when one of the changes is not allowed; then none is made */
  alter(broker: string, changes: readonly SettingChange[], validateOnly: boolean): void {
    this.#requireOwn(broker);
    for (const change of changes) this.#check(change);
    if (validateOnly) return;
    for (const { name, operation, value } of changes) {
      if (operation === 'delete') this.#levels?.unset(name);
      else this.#levels?.set(name, value as LogLevelName);
    }
  }

  #requireOwn(broker: string): void {
    if (broker === String(this.#brokerId)) return;
    const message =
      broker === ''
        ? 'The id of a broker has to be named: loggers are its own.'
        : `Unexpected broker id, expected ${this.#brokerId}, but received ${broker}`;
    throw new AdminError(ErrorCode.INVALID_REQUEST, message);
  }

  #check({ name, operation, value }: SettingChange): void {
    if (operation === 'append' || operation === 'subtract') {
      const message = `The level of a logger can be set or deleted; there is no ${operation} for ${name}.`;
      throw new AdminError(ErrorCode.INVALID_REQUEST, message);
    }
    if (this.#levels?.has(name) !== true) {
      throw new AdminError(ErrorCode.INVALID_CONFIG, `Logger ${name} does not exist!`);
    }
    if (operation === 'delete') {
      if (name !== ROOT_LOGGER) return;
      throw new AdminError(
        ErrorCode.INVALID_REQUEST,
        `Removing the log level of the ${ROOT_LOGGER} logger is not allowed`,
      );
    }
    if (LOG_LEVELS.some(level => level === value)) return;
    throw new AdminError(
      ErrorCode.INVALID_CONFIG,
      `Cannot set the log level of ${name} to ${value} as it is not a supported log level. ` +
        `Valid log levels are ${LOG_LEVELS.join(', ')}`,
    );
  }
}
