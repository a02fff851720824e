import { isIP, type OnReadOpts } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { readTerms } from './context.ts';
import { unusable, type TlsSource } from './settings.ts';

/** How one goes about TLS as the side that connects. Read at each connect. */
export interface ClientTls {
  readonly context: SecureContext;
  /** Whether the peer's certificate must name the host that was connected to. */
  readonly checksHost: boolean;
}

/**
 * The client's side of the settings: whom to trust, who one is, whether host names are checked.
 * @param now milliseconds since 1970
 * @throws ConfigError
 */
export function clientTls(source: TlsSource, now: number): ClientTls {
  return { context: createSecureContext(readTerms(source, now).options), checksHost: checksHost(source) };
}

/** @throws ConfigError for an algorithm other than HTTPS and none */
export function checksHost(source: TlsSource): boolean {
  const algorithm = source.values['ssl.endpoint.identification.algorithm'];
  if (algorithm !== '' && algorithm.toLowerCase() !== 'https') {
    throw unusable(source, 'ssl.endpoint.identification.algorithm', 'it must be https or empty');
  }
  return algorithm !== '';
}

export interface TlsConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: ClientTls;
  /** Protocols to offer by ALPN; none for Kafka's. */
  readonly protocols?: readonly string[];
  readonly onread?: OnReadOpts;
}

/** Begins to connect; 'secureConnect' says that the peer is who it should be, 'error' that it is not. */
export function connectTls({ host, port, tls, protocols, onread }: TlsConnectOptions): TLSSocket {
  const options = {
    host,
    port,
    keepAlive: true,
    noDelay: true,
    secureContext: tls.context,
    // By name only: RFC 6066 has no addresses here.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tls.checksHost ? {} : { checkServerIdentity: () => undefined }),
    ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
    ...(onread === undefined ? {} : { onread }),
  };
  return connect(options);
}
