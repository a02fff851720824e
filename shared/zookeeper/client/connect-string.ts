import { ZooKeeperError } from '../zookeeper.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** `zookeeper.connect`, taken apart. */
export interface ConnectString {
  readonly servers: readonly ServerAddress[];
  /** Path under which everything lives, without a slash at the end; empty for none. */
  readonly chroot: string;
}

const DEFAULT_PORT = 2181;
/** Host (or an IPv6 address in brackets) and an optional port. */
const SERVER = /^(?:\[([0-9a-zA-Z:.%]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/;

/**
 * Reads `host1:2181,host2:2181/chroot`: the chroot stands once, after the last server.
 * @throws ZooKeeperError BAD_ARGUMENTS
 */
export function parseConnectString(text: string): ConnectString {
  const slash = text.indexOf('/');
  const hosts = slash < 0 ? text : text.slice(0, slash);
  const chroot = slash < 0 ? '' : text.slice(slash).replace(/\/+$/, '');
  if (chroot !== '' && !/^(\/[^/]+)+$/.test(chroot)) throw invalid(text, `chroot "${chroot}" is not a path`);
  const servers = hosts
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(part => parseServer(text, part));
  if (servers.length === 0) throw invalid(text, 'it names no server');
  return { servers, chroot };
}

function parseServer(text: string, part: string): ServerAddress {
  const [, ipv6, name, digits] = SERVER.exec(part) ?? [];
  const host = ipv6 ?? name;
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (host === undefined || port < 1 || port > 65535) throw invalid(text, `"${part}" is not host:port`);
  return { host, port };
}

function invalid(text: string, problem: string): ZooKeeperError {
  return new ZooKeeperError('BAD_ARGUMENTS', '/', `invalid ZooKeeper connect string "${text}": ${problem}`);
}

export function formatServer({ host, port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
