import zookeeper, { type ACL, type Client, type Event, type Stat } from 'node-zookeeper-client';
import { parseConnectString } from '../../shared/zookeeper/client/connect-string.ts';
import { ToolFailure } from '../support/tool.ts';

const SESSION_TIMEOUT_MS = 30_000;

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

  getData(path: string, watch?: (event: Event) => void): Promise<{ data: Buffer | undefined; stat: Stat }> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, data: Buffer | undefined, stat: Stat) => {
        if (error) reject(error as WireError);
        else resolve({ data, stat });
      };
      if (watch === undefined) this.#client.getData(this.#full(path), done);
      else this.#client.getData(this.#full(path), watch, done);
    });
  }

  getChildren(path: string, watch?: (event: Event) => void): Promise<{ names: string[]; stat: Stat }> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, names: string[], stat: Stat) => {
        if (error) reject(error as WireError);
        else resolve({ names: names.sort(), stat });
      };
      if (watch === undefined) this.#client.getChildren(this.#full(path), done);
      else this.#client.getChildren(this.#full(path), watch, done);
    });
  }

  /** null when there is no such node. */
  exists(path: string, watch?: (event: Event) => void): Promise<Stat | null> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, stat: Stat | null) => {
        if (error) reject(error as WireError);
        else resolve(stat);
      };
      if (watch === undefined) this.#client.exists(this.#full(path), done);
      else this.#client.exists(this.#full(path), watch, done);
    });
  }

  getAcl(path: string): Promise<ACL[]> {
    return new Promise((resolve, reject) => {
      this.#client.getACL(this.#full(path), (error, acls) => {
        if (error) reject(error as WireError);
        else resolve(acls);
      });
    });
  }

  /** Resolves with the path as created. */
  create(path: string, data: Buffer | undefined, mode: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, created: string) => {
        if (error) reject(error as WireError);
        else resolve(created.slice(this.#chroot.length));
      };
      if (data === undefined) this.#client.create(this.#full(path), mode, done);
      else this.#client.create(this.#full(path), data, mode, done);
    });
  }

  /** @param version -1 for any */
  setData(path: string, data: Buffer, version: number): Promise<Stat> {
    return new Promise((resolve, reject) => {
      this.#client.setData(this.#full(path), data, version, (error, stat) => {
        if (error) reject(error as WireError);
        else resolve(stat);
      });
    });
  }

  /** @param version -1 for any */
  remove(path: string, version: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.remove(this.#full(path), version, error => {
        if (error) reject(error as WireError);
        else resolve();
      });
    });
  }

  #full(path: string): string {
    return path === '/' && this.#chroot !== '' ? this.#chroot : this.#chroot + path;
  }
}
