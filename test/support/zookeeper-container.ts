import { GenericContainer, getContainerRuntimeClient, Wait, type StartedTestContainer } from 'testcontainers';
import { freePorts } from './free-ports.ts';
import { waitFor } from './wait.ts';
import { zooKeeperImage } from './zookeeper-image.ts';
import { fourLetterWord } from './zookeeper-process.ts';

const CONFIGURATION = `tickTime=500
dataDir=/data
clientPort=2181
maxClientCnxns=0
admin.enableServer=false
4lw.commands.whitelist=*
`;

/** Why containers cannot be used here; null when they can. */
export async function containerProblem(): Promise<string | null> {
  try {
    await getContainerRuntimeClient();
    return null;
  } catch (error) {
    return `no Docker engine in reach (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** A real ZooKeeper in a Docker container, on a port of 127.0.0.1 that stays the same when it is killed and started. */
export class ZooKeeperContainer {
  readonly port: number;
  readonly #container: StartedTestContainer;

  private constructor(container: StartedTestContainer, port: number) {
    this.#container = container;
    this.port = port;
  }

  static async start(): Promise<ZooKeeperContainer> {
    const image = await zooKeeperImage();
    const port = (await freePorts(1))[0]!;
    const container = await new GenericContainer(image)
      .withExposedPorts({ container: 2181, host: port })
      .withCopyContentToContainer([{ content: CONFIGURATION, target: '/zoo.cfg' }])
      // The default strategy runs a shell in the container; this image has none.
      .withWaitStrategy(Wait.forLogMessage(/binding to port/))
      .start();
    const server = new ZooKeeperContainer(container, port);
    await server.#serving();
    return server;
  }

  get connectString(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Kills the server; its data stays for `start`. */
  async crash(): Promise<void> {
    const container = await this.#handle();
    await container.kill();
    await container.wait();
  }

  /** Starts it again after a crash. */
  async start(): Promise<void> {
    await (await this.#handle()).start();
    await this.#serving();
  }

  /** Freezes all its processes, or lets them go on. */
  async setFrozen(frozen: boolean): Promise<void> {
    const container = await this.#handle();
    await (frozen ? container.pause() : container.unpause());
  }

  /** Removes the container with its data. */
  async kill(): Promise<void> {
    await this.#container.stop({ timeout: 0 });
  }

  async #handle() {
    return (await getContainerRuntimeClient()).container.getById(this.#container.getId());
  }

  /** The log line that start waits for comes before the server serves. */
  async #serving(): Promise<void> {
    await waitFor('ZooKeeper in its container to serve', async () =>
      (await fourLetterWord(this.port, 'srvr')).includes('Mode:'),
    );
  }
}
