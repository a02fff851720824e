import zookeeper, { type ACL, type Client, type Event, type Stat } from 'node-zookeeper-client';
import { parseConnectString } from '../../shared/zookeeper/client/connect-string.ts';
import { ToolFailure } from '../support/tool.ts';

const SESSION_TIMEOUT_MS = 30_000;

/** Called once, when what was read changes. */
type Watch = (event: Event) => void;

/** A failed call, by ZooKeeper's own error code. */
export interface WireError extends Error {
  readonly code?: number;
}

/**
 * A session for looking into any ZooKeeper tree. Unlike the client that brokers use it knows ACLs and all of a Stat, and
 * it does not try anything again.
 */
export class ShellSession {
  readonly #client: Client;
  readonly #chroot: string;

  private constructor(client: Client, chroot: string) {
    this.#client = client;
    this.#chroot = chroot;
  }

  /** @throws ToolFailure when no server answers within `timeoutMs` */
  static async connect(connectString: string, timeoutMs: number): Promise<ShellSession> {
    const { servers, chroot } = parseConnectString(connectString);
    // The library's own chroot does not know the root of it.
    const addresses = servers.map(({ host, port }) => `${host}:${port}`).join(',');
    const client = zookeeper.createClient(addresses, {
      sessionTimeout: SESSION_TIMEOUT_MS,
      spinDelay: 200,
      retries: 0,
    });
    const connected = new Promise<boolean>(resolve => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      client.once('connected', () => {
        clearTimeout(timer);
        resolve(true);
      });
    });
    client.connect();
    if (!(await connected)) {
      client.close();
      throw new ToolFailure(`No ZooKeeper server answers at ${connectString}`);
    }
    return new ShellSession(client, chroot);
  }

  close(): void {
    this.#client.close();
  }

  getData(path: string, watch?: Watch): Promise<{ data: Buffer | undefined; stat: Stat }> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, data: Buffer | undefined, stat: Stat) =>
        settle(error, { data, stat }, resolve, reject);
      if (watch === undefined) this.#client.getData(this.#full(path), done);
      else this.#client.getData(this.#full(path), watch, done);
    });
  }

  /** Names in their order. */
  getChildren(path: string, watch?: Watch): Promise<{ names: string[]; stat: Stat }> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, names: string[] | undefined, stat: Stat) =>
        settle(error, { names: (names ?? []).sort(), stat }, resolve, reject);
      if (watch === undefined) this.#client.getChildren(this.#full(path), done);
      else this.#client.getChildren(this.#full(path), watch, done);
    });
  }

  /** null when there is no such node. */
  exists(path: string, watch?: Watch): Promise<Stat | null> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, stat: Stat | null) => settle(error, stat, resolve, reject);
      if (watch === undefined) this.#client.exists(this.#full(path), done);
      else this.#client.exists(this.#full(path), watch, done);
    });
  }

  getAcl(path: string): Promise<ACL[]> {
    return new Promise((resolve, reject) => {
      this.#client.getACL(this.#full(path), (error, acls) => settle(error, acls, resolve, reject));
    });
  }

  /** Resolves with the path as created. */
  create(path: string, data: Buffer | undefined, mode: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, created: string | undefined) =>
        settle(error, (created ?? '').slice(this.#chroot.length), resolve, reject);
      if (data === undefined) this.#client.create(this.#full(path), mode, done);
      else this.#client.create(this.#full(path), data, mode, done);
    });
  }

  /** @param version -1 for any */
  setData(path: string, data: Buffer, version: number): Promise<Stat> {
    return new Promise((resolve, reject) => {
      this.#client.setData(this.#full(path), data, version, (error, stat) => settle(error, stat, resolve, reject));
    });
  }

  /** @param version -1 for any */
  remove(path: string, version: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.remove(this.#full(path), version, error => settle(error, undefined, resolve, reject));
    });
  }

  #full(path: string): string {
    return path === '/' && this.#chroot !== '' ? this.#chroot : this.#chroot + path;
  }
}

function settle<T>(error: unknown, value: T, resolve: (value: T) => void, reject: (error: Error) => void): void {
  if (error) reject(error as WireError);
  else resolve(value);
}
