import { brokerPath } from '../paths.ts';
import {
  asInteger,
  asObject,
  encodeJson,
  MalformedZnodeError,
  requireObject,
  type JsonObject,
  textOf,
} from './json.ts';

/** An advertised address of a broker on one listener. */
export interface RegisteredEndpoint {
  readonly listenerName: string;
  readonly securityProtocol: string;
  readonly host: string;
  readonly port: number;
}

/** What a broker says about itself in `/brokers/ids/<id>`. */
export interface BrokerRegistration {
  readonly id: number;
  readonly endpoints: readonly RegisteredEndpoint[];
  readonly rack: string | null;
  /** -1 = none. */
  readonly jmxPort: number;
  /** When the broker registered, milliseconds since the Unix epoch. */
  readonly timestampMs: number;
}

/** Version written: endpoints by listener name, their protocols beside, supported features (KIP-584). */
const VERSION = 5;

export function encodeBroker(registration: BrokerRegistration): Buffer {
  const { endpoints, rack } = registration;
  const plain = endpoints.find(endpoint => endpoint.securityProtocol === 'PLAINTEXT');
  return encodeJson({
    version: VERSION,
    host: plain?.host ?? null,
    port: plain?.port ?? -1,
    jmx_port: registration.jmxPort,
    timestamp: String(registration.timestampMs),
    endpoints: endpoints.map(formatEndpoint),
    listener_security_protocol_map: Object.fromEntries(endpoints.map(e => [e.listenerName, e.securityProtocol])),
    features: {},
    ...(rack === null ? {} : { rack }),
  });
}

/**
 * Reads every version a broker may have written: 1 knows one plaintext address, 2 and 3 have listeners named like
 * their protocols, 4 and later name both.
 * @throws MalformedZnodeError
 */
export function decodeBroker(id: number, data: Buffer | null): BrokerRegistration {
  const path = brokerPath(id);
  const json = requireObject(path, data);
  const version = asInteger(json.version);
  if (version === null || version < 1)
    throw new MalformedZnodeError(path, `unsupported version ${textOf(json.version)}`);
  return {
    id,
    endpoints: version === 1 ? [soleEndpoint(path, json)] : listedEndpoints(path, json),
    rack: typeof json.rack === 'string' ? json.rack : null,
    jmxPort: asInteger(json.jmx_port) ?? -1,
    timestampMs: Number(textOf(json.timestamp ?? -1)),
  };
}

function soleEndpoint(path: string, { host, port }: JsonObject): RegisteredEndpoint {
  if (typeof host !== 'string' || typeof port !== 'number') throw new MalformedZnodeError(path, 'host or port missing');
  return { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host, port };
}

function listedEndpoints(path: string, json: JsonObject): RegisteredEndpoint[] {
  const { endpoints } = json;
  if (!Array.isArray(endpoints)) throw new MalformedZnodeError(path, 'endpoints missing');
  const protocols = asObject(json.listener_security_protocol_map);
  return endpoints.map(text => parseEndpoint(path, textOf(text), protocols));
}

const ENDPOINT = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?\d+)$/;

function parseEndpoint(path: string, text: string, protocols: JsonObject | null): RegisteredEndpoint {
  const [, name, host, port] = ENDPOINT.exec(text) ?? [];
  if (name === undefined || host === undefined || port === undefined) {
    throw new MalformedZnodeError(path, `endpoint "${text}" is not LISTENER://host:port`);
  }
  const listenerName = name.toUpperCase();
  const protocol = protocols === null ? listenerName : (protocols[name] ?? protocols[listenerName]);
  if (typeof protocol !== 'string') throw new MalformedZnodeError(path, `no security protocol for listener ${name}`);
  return { listenerName, securityProtocol: protocol, host, port: Number(port) };
}

function formatEndpoint({ listenerName, host, port }: RegisteredEndpoint): string {
  return `${listenerName}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
