import { ConfigError } from '../../shared/config/config-error.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { ListenerView } from '../config/listener-view.ts';
import { ListenerTls } from './listener-tls.ts';

/** How this broker's listeners are secured. */
export class Security {
  readonly #tls: ReadonlyMap<string, ListenerTls>;
  readonly #interBroker: string;
  readonly #logger: Logger;

  private constructor(config: BrokerConfig, clock: Clock, logger: Logger) {
    const { listeners, interBroker } = config.listeners;
    const secured = listeners.filter(({ securityProtocol }) => securityProtocol === 'SSL');
    this.#tls = new Map(secured.map(({ name }) => [name, new ListenerTls(config.perListener, name, clock)]));
    this.#interBroker = interBroker;
    this.#logger = logger;
  }

  /**
   * Reads the stores that the settings name, and again when dynamic settings change or may have.
   * @throws ConfigError for the first that is missing or cannot be used
   */
  static load(config: BrokerConfig, clock: Clock, logger: Logger): Security {
    const security = new Security(config, clock, logger);
    config.addUser({ check: settings => security.#check(settings), apply: settings => security.#apply(settings) });
    return security;
  }

  /** null for a listener without TLS. */
  listener(name: string): ListenerTls | null {
    return this.#tls.get(name) ?? null;
  }

  /** For connecting to other brokers. */
  get interBroker(): ListenerTls | null {
    return this.listener(this.#interBroker);
  }

  #check(settings: ListenerView): void {
    for (const tls of this.#tls.values()) tls.check(settings);
  }

  /** What cannot be used leaves in force what is: settings in ZooKeeper may come by other ways than a check here. */
  #apply(settings: ListenerView): void {
    for (const tls of this.#tls.values()) {
      try {
        if (!tls.apply(settings)) continue;
        const { listener, certificate } = tls;
        const fields = { listener, subject: certificate.subject.replaceAll('\n', ', '), validTo: certificate.validTo };
        this.#logger.info(fields, `listener ${listener} has new TLS settings, for connections from now on`);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        this.#logger.error({ listener: tls.listener }, `TLS stays as it is: ${error.message}`);
      }
    }
  }
}
