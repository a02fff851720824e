import type { SecurityProtocol, Dialect } from '../request/context.ts';
import type { ListenerTls } from '../security/listener-tls.ts';

/** A configured listener. */
export interface ListenerSpec {
  readonly name: string;
  /** Address to bind; empty = all interfaces. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly protocol: SecurityProtocol;
  /** null or absent: no TLS. */
  readonly tls?: ListenerTls | null;
}

/** The configuration of this room. Values are read when they are needed: getters make them changeable while running. */
export interface NetworkOptions {
  /** `socket.request.max.bytes`, below 1 GiB. */
  readonly maxRequestBytes: number;
  /** `max.connections`, of the whole broker. */
  readonly maxConnections: number;
  /** `max.connections.per.ip`. */
  readonly maxConnectionsPerIp: number;
  /** `max.connections.per.ip.overrides`: `host:count,…`, the host a name or an address. Read when the ports are bound, and when told that it has changed. */
  readonly maxConnectionsPerIpOverrides: string;
  /** `connections.max.idle.ms`; negative = never. */
  readonly maxIdleMs: number;
  /** `request.timeout.ms`: a request of which no byte arrives for that long costs the connection. */
  readonly requestTimeoutMs: number;
  /** `socket.listen.backlog.size`. */
  readonly backlog: number;
  /** The listener between brokers: where it is one of several, `max.connections` does not bind it, as in Kafka. */
  readonly interBrokerListenerName: string;
}

/** What metrics want to hear about connections and requests. Called on the hot path. */
export interface RequestObserver {
  connectionOpened(listenerName: string, dialect: Dialect): void;
  connectionClosed(listenerName: string, dialect: Dialect): void;
  /** @param elapsedMs from the request's last byte to its answer being handed to the socket */
  requestAnswered(apiKey: number, elapsedMs: number, requestBytes: number, responseBytes: number): void;
}
