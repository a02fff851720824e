import type { Clock } from '../../shared/runtime/clock.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { ListenerTls } from './listener-tls.ts';

/** How this broker's listeners are secured. */
export class Security {
  readonly #tls: ReadonlyMap<string, ListenerTls>;
  readonly #interBroker: string;

  private constructor(tls: ReadonlyMap<string, ListenerTls>, interBroker: string) {
    this.#tls = tls;
    this.#interBroker = interBroker;
  }

  /** Reads the stores that the settings name. @throws ConfigError for the first that is missing or cannot be used */
  static load(config: BrokerConfig, clock: Clock): Security {
    const { listeners, interBroker } = config.listeners;
    const secured = listeners.filter(({ securityProtocol }) => securityProtocol === 'SSL');
    return new Security(new Map(secured.map(({ name }) => [name, new ListenerTls(config, name, clock)])), interBroker);
  }

  /** null for a listener without TLS. */
  listener(name: string): ListenerTls | null {
    return this.#tls.get(name) ?? null;
  }

  /** For connecting to other brokers. */
  get interBroker(): ListenerTls | null {
    return this.listener(this.#interBroker);
  }
}
