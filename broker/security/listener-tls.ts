import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import type { Clock } from '../../shared/runtime/clock.ts';
import { checksHost, type ClientTls } from '../../shared/tls/client.ts';
import { readTerms, type Terms } from '../../shared/tls/context.ts';
import { missing, type TlsSource } from '../../shared/tls/settings.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { listenerSource } from './listener-source.ts';

/** What a listener's TLS server is made with: Node's options, without those on protocols and time limits. */
export type ListenerTlsOptions = Pick<TlsOptions, 'requestCert' | 'rejectUnauthorized'> & Terms['options'];

/**
 * One listener's TLS: what it shows to clients and asks of them, and what this broker shows and asks when it connects to
 * others by it. Both come from the same settings, as in Kafka.
 */
export class ListenerTls implements ClientTls {
  readonly options: ListenerTlsOptions;
  readonly context: SecureContext;
  readonly checksHost: boolean;

  /** @throws ConfigError when a store is missing or cannot be used */
  constructor(config: BrokerConfig, listener: string, clock: Clock) {
    const source = listenerSource(config, listener);
    const terms = readTerms(source, clock.now());
    if (terms.keyStore === null) throw noKeyStore(source, listener);
    const clientAuth = config.getFor(listener, 'ssl.client.auth');
    this.options = {
      ...terms.options,
      requestCert: clientAuth !== 'none',
      rejectUnauthorized: clientAuth === 'required',
    };
    this.context = createSecureContext(terms.options);
    this.checksHost = checksHost(source);
  }
}

function noKeyStore(source: TlsSource, listener: string) {
  const why = `the listener ${listener} speaks TLS, for which it needs a key and a certificate`;
  return missing(source, 'ssl.keystore.location', why);
}
