import { badValue, type ConfigError, type Origin } from '../../shared/config/config-error.ts';
import type { SecurityProtocol } from '../request/context.ts';

/** A socket to bind, or an address to advertise. */
export interface Listener {
  /** Upper case, as Kafka normalises it. */
  readonly name: string;
  readonly securityProtocol: SecurityProtocol;
  /** Without brackets; empty = every interface. Never empty in an advertised listener. */
  readonly host: string;
  /** 0 = any free port; in an advertised listener, the one that was bound. */
  readonly port: number;
}

export interface Listeners {
  readonly listeners: readonly Listener[];
  readonly advertised: readonly Listener[];
  /** Name of the listener by which brokers talk to each other; it is among both lists. */
  readonly interBroker: string;
}

/** The texts that the listeners are made of. */
export interface ListenerSettings {
  readonly listeners: string;
  readonly 'advertised.listeners': string | null;
  readonly 'listener.security.protocol.map': string;
  readonly 'inter.broker.listener.name': string | null;
  readonly 'security.inter.broker.protocol': string;
  readonly 'control.plane.listener.name': string | null;
}

export interface ListenerSurroundings {
  /** Advertised for listeners on every interface when `advertised.listeners` is not set. */
  readonly hostname: string;
  /** Where a setting was given; undefined when it was not. */
  origin(key: keyof ListenerSettings): Origin | undefined;
}

type Refuse = (key: keyof ListenerSettings, allowed: string) => ConfigError;

const PROTOCOLS: readonly string[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] satisfies SecurityProtocol[];
/** The others are known, but serving them without authentication would betray whoever asked for them. */
const SERVED: readonly string[] = ['PLAINTEXT', 'SSL'] satisfies SecurityProtocol[];

const ENTRY = /^([^:/\s]+):\/\/(?:\[([0-9a-zA-Z\-%._:]*)\]|([0-9a-zA-Z\-%._:]*)):(\d{1,5})$/;
const ENTRY_FORM = 'a list of NAME://host:port, for example PLAINTEXT://0.0.0.0:9092';
const WILDCARDS: readonly string[] = ['0.0.0.0', '::'];

/**
 * Listeners, advertised addresses and the inter-broker listener, checked against each other (Kafka:
 * `KafkaConfig.validateValues`).
 * @throws ConfigError
 */
export function parseListeners(settings: ListenerSettings, surroundings: ListenerSurroundings): Listeners {
  const refuse: Refuse = (key, allowed) => badValue(key, settings[key], allowed, surroundings.origin(key));
  const protocols = parseProtocolMap(settings['listener.security.protocol.map'], refuse);
  const listeners = parseEntries('listeners', settings.listeners, protocols, refuse);
  checkPorts(listeners, refuse);
  const advertised = parseAdvertised(settings, listeners, protocols, surroundings.hostname, refuse);
  const interBroker = interBrokerName(settings, surroundings, protocols, refuse);
  if (!hasName(advertised, interBroker)) {
    throw refuse(advertisedKey(settings), `a list with the listener between brokers, ${interBroker}, in it`);
  }
  checkControlPlane(settings, advertised, interBroker, refuse);
  return { listeners, advertised, interBroker };
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');
}

function parseProtocolMap(text: string, refuse: Refuse): Map<string, SecurityProtocol> {
  const protocols = new Map<string, SecurityProtocol>();
  for (const pair of splitList(text)) {
    const colon = pair.lastIndexOf(':');
    const protocol = pair.slice(colon + 1).trim();
    if (colon <= 0 || !PROTOCOLS.includes(protocol)) {
      throw refuse(
        'listener.security.protocol.map',
        `a list of NAME:PROTOCOL with ${PROTOCOLS.join(', ')} as protocol`,
      );
    }
    protocols.set(pair.slice(0, colon).trim().toUpperCase(), protocol as SecurityProtocol);
  }
  return protocols;
}

function parseEntries(
  key: 'listeners' | 'advertised.listeners',
  text: string,
  protocols: ReadonlyMap<string, SecurityProtocol>,
  refuse: Refuse,
): Listener[] {
  const entries = splitList(text).map(entry => parseEntry(key, entry, protocols, refuse));
  if (entries.length === 0) throw refuse(key, ENTRY_FORM);
  if (new Set(entries.map(entry => entry.name)).size < entries.length) {
    throw refuse(key, 'a list with a different name for each listener');
  }
  return entries;
}

function parseEntry(
  key: 'listeners' | 'advertised.listeners',
  entry: string,
  protocols: ReadonlyMap<string, SecurityProtocol>,
  refuse: Refuse,
): Listener {
  const parts = ENTRY.exec(entry);
  const port = Number(parts?.[4]);
  if (parts === null || port > 65_535) throw refuse(key, ENTRY_FORM);
  const name = parts[1]!.toUpperCase();
  const securityProtocol = protocols.get(name);
  if (securityProtocol === undefined) {
    throw refuse(key, `a list of names that listener.security.protocol.map gives a protocol to, which ${name} lacks`);
  }
  if (!SERVED.includes(securityProtocol)) {
    throw refuse(key, `made of ${SERVED.join(' and ')} listeners: ${securityProtocol} is not served yet`);
  }
  return { name, securityProtocol, host: parts[2] ?? parts[3] ?? '', port };
}

/** Distinct ports, except any number of 0s, and except one IPv4 and one IPv6 listener that share a port (KIP-797). */
function checkPorts(listeners: readonly Listener[], refuse: Refuse): void {
  const ports = listeners.map(listener => listener.port).filter(port => port !== 0);
  if (new Set(ports).size === ports.length) return;
  const families = listeners.map(listener => ipFamily(listener.host)).sort();
  if (families.join() === '4,6') return;
  throw refuse('listeners', 'a list with a different port for each listener');
}

function ipFamily(host: string): number {
  if (host.includes(':')) return 6;
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) ? 4 : 0;
}

function advertisedKey(settings: ListenerSettings): 'advertised.listeners' | 'listeners' {
  return settings['advertised.listeners'] === null ? 'listeners' : 'advertised.listeners';
}

function parseAdvertised(
  settings: ListenerSettings,
  listeners: readonly Listener[],
  protocols: ReadonlyMap<string, SecurityProtocol>,
  hostname: string,
  refuse: Refuse,
): Listener[] {
  const text = settings['advertised.listeners'];
  const given = text === null ? listeners : parseEntries('advertised.listeners', text, protocols, refuse);
  const stranger = given.find(listener => !hasName(listeners, listener.name));
  if (stranger !== undefined)
    throw refuse('advertised.listeners', `a list of names from listeners, which ${stranger.name} is not`);
  if (given.some(listener => WILDCARDS.includes(listener.host))) {
    const remedy = text === null ? ' (set advertised.listeners)' : '';
    throw refuse(
      advertisedKey(settings),
      `a list of addresses that clients can reach, so not ${WILDCARDS.join(' or ')}${remedy}`,
    );
  }
  return given.map(listener => (listener.host === '' ? { ...listener, host: hostname } : listener));
}

function interBrokerName(
  settings: ListenerSettings,
  surroundings: ListenerSurroundings,
  protocols: ReadonlyMap<string, SecurityProtocol>,
  refuse: Refuse,
): string {
  const name = settings['inter.broker.listener.name']?.toUpperCase();
  if (name === undefined) return settings['security.inter.broker.protocol'];
  if (surroundings.origin('security.inter.broker.protocol') !== undefined) {
    throw refuse('inter.broker.listener.name', 'unset when security.inter.broker.protocol is set');
  }
  if (!protocols.has(name)) {
    throw refuse('inter.broker.listener.name', 'a name that listener.security.protocol.map gives a protocol to');
  }
  return name;
}

function checkControlPlane(
  settings: ListenerSettings,
  advertised: readonly Listener[],
  interBroker: string,
  refuse: Refuse,
): void {
  const name = settings['control.plane.listener.name']?.toUpperCase();
  if (name === undefined || (hasName(advertised, name) && name !== interBroker)) return;
  throw refuse('control.plane.listener.name', 'an advertised listener other than the one between brokers');
}

function hasName(listeners: readonly Listener[], name: string): boolean {
  return listeners.some(listener => listener.name === name);
}
