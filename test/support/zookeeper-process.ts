import { spawn, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { waitFor } from './wait.ts';

export interface ZooKeeperProcessOptions {
  /** Where data and log go; without it a temporary directory that `kill` removes. */
  readonly directory?: string;
  readonly port?: number;
  /** Milliseconds; sessions last 2 to 20 ticks. Default 500: sessions of 1 to 10 s. */
  readonly tickTime?: number;
  /** Lines added to zoo.cfg. */
  readonly configuration?: readonly string[];
  /** Number within an ensemble. */
  readonly serverId?: number;
}

/** Class path of a real ZooKeeper: $ZOOKEEPER_HOME's, else that of Debian's package. */
export function zooKeeperClassPath(): string {
  const home = process.env.ZOOKEEPER_HOME;
  if (home !== undefined && home !== '') return [join(home, '*'), join(home, 'lib', '*')].join(':');
  if (existsSync('/usr/share/java/zookeeper.jar')) {
    return '/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar';
  }
  throw new Error('no ZooKeeper here: set ZOOKEEPER_HOME or install the package zookeeper (apt-get install zookeeper)');
}

/** A real ZooKeeper server on 127.0.0.1; dies with the test process. */
export class ZooKeeperProcess {
  readonly port: number;
  readonly directory: string;
  readonly #options: ZooKeeperProcessOptions;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();

  private constructor(options: ZooKeeperProcessOptions, directory: string, port: number) {
    this.#options = options;
    this.directory = directory;
    this.port = port;
    mkdirSync(join(directory, 'data'), { recursive: true });
    writeFileSync(this.#configurationFile, this.#configuration());
    if (options.serverId !== undefined) writeFileSync(join(directory, 'data', 'myid'), String(options.serverId));
  }

  /** Starts a server and waits until it serves. */
  static async start(options: ZooKeeperProcessOptions = {}): Promise<ZooKeeperProcess> {
    const server = await ZooKeeperProcess.prepare(options);
    await server.start();
    return server;
  }

  /** A server that is configured but not started. */
  static async prepare(options: ZooKeeperProcessOptions = {}): Promise<ZooKeeperProcess> {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'samsa-zookeeper-'));
    return new ZooKeeperProcess(options, directory, options.port ?? (await freePorts(1))[0]!);
  }

  get connectString(): string {
    return `127.0.0.1:${this.port}`;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** What the server has written so far. */
  get output(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8') : '';
  }

  /** Starts it (again) on the same port and data, and waits until it serves. */
  async start(): Promise<void> {
    this.spawn();
    await waitFor(`ZooKeeper on port ${this.port} to serve`, async () => {
      if (this.#child === null) throw new Error(`ZooKeeper exited:\n${this.output.slice(-2000)}`);
      return (await fourLetterWord(this.port, 'srvr')).includes('Mode:');
    });
  }

  /** Starts the process without waiting: members of an ensemble serve only together. */
  spawn(): void {
    if (this.#child !== null) throw new Error(`ZooKeeper on port ${this.port} is running already`);
    const java = [
      '-XX:TieredStopAtLevel=1',
      '-XX:+UseSerialGC',
      '-Xmx128m',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    ];
    const main = [
      '-cp',
      zooKeeperClassPath(),
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      this.#configurationFile,
    ];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'java', ...java, ...main], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(this.#logFile, { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.#child = child;
    this.#exited = new Promise(resolve => {
      const ended = () => {
        if (this.#child === child) this.#child = null;
        log.end();
        resolve();
      };
      child.once('exit', ended);
      child.once('error', error => {
        appendFileSync(this.#logFile, String(error));
        ended();
      });
    });
  }

  /** kill -9, and wait until it is gone. Data and port are kept for another start, unless the directory is our own. */
  async kill(): Promise<void> {
    await this.crash();
    if (this.#options.directory === undefined) rmSync(this.directory, { recursive: true, force: true });
  }

  /** kill -9, everything stays for another `start`. */
  async crash(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** Forgets all data of a server that is down, as if the disk had been replaced. */
  wipe(): void {
    rmSync(join(this.directory, 'data'), { recursive: true });
    mkdirSync(join(this.directory, 'data'));
  }

  /** SIGSTOP freezes it, SIGCONT lets it go on. */
  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  get #configurationFile(): string {
    return join(this.directory, 'zoo.cfg');
  }

  get #logFile(): string {
    return join(this.directory, 'zookeeper.log');
  }

  #configuration(): string {
    const lines = [
      `tickTime=${this.#options.tickTime ?? 500}`,
      `dataDir=${join(this.directory, 'data')}`,
      `clientPort=${this.port}`,
      'clientPortAddress=127.0.0.1',
      'maxClientCnxns=0',
      'admin.enableServer=false',
      '4lw.commands.whitelist=*',
      ...(this.#options.configuration ?? []),
    ];
    return lines.map(line => `${line}\n`).join('');
  }
}

/** Three (or more) real ZooKeeper servers that elect a leader among themselves. */
export class ZooKeeperEnsemble {
  readonly servers: readonly ZooKeeperProcess[];
  readonly #directory: string;

  private constructor(servers: readonly ZooKeeperProcess[], directory: string) {
    this.servers = servers;
    this.#directory = directory;
  }

  static async start(count = 3): Promise<ZooKeeperEnsemble> {
    const directory = mkdtempSync(join(tmpdir(), 'samsa-ensemble-'));
    const ports = await freePorts(3 * count);
    const ids = Array.from({ length: count }, (_, index) => index + 1);
    const members = ids.map(id => `server.${id}=127.0.0.1:${ports[count + id - 1]}:${ports[2 * count + id - 1]}`);
    const servers = await Promise.all(
      ids.map(id =>
        ZooKeeperProcess.prepare({
          directory: join(directory, String(id)),
          port: ports[id - 1]!,
          serverId: id,
          configuration: ['initLimit=10', 'syncLimit=5', ...members],
        }),
      ),
    );
    const ensemble = new ZooKeeperEnsemble(servers, directory);
    for (const server of servers) server.spawn();
    try {
      await waitFor('the ensemble to serve', async () =>
        (await Promise.all(servers.map(modeOf))).every(mode => mode !== null),
      );
    } catch (error) {
      await ensemble.kill();
      throw error;
    }
    return ensemble;
  }

  /** All servers, for `zookeeper.connect`. */
  get connectString(): string {
    return this.servers.map(server => server.connectString).join(',');
  }

  /** The server that leads at the moment. */
  leader(): Promise<ZooKeeperProcess> {
    return waitFor('a leader of the ensemble', async () => {
      const modes = await Promise.all(this.servers.map(modeOf));
      return this.servers[modes.indexOf('leader')];
    });
  }

  async kill(): Promise<void> {
    await Promise.all(this.servers.map(server => server.kill()));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** 'leader', 'follower', 'standalone', or null for a server that does not serve. */
async function modeOf(server: ZooKeeperProcess): Promise<string | null> {
  const answer = await fourLetterWord(server.port, 'srvr').catch(() => '');
  return /Mode: (\w+)/.exec(answer)?.[1] ?? null;
}

/** Sends one of ZooKeeper's administrative commands. A probe that meets a starting server may never be answered. */
export function fourLetterWord(port: number, word: string, timeoutMs = 250): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer to ${word}`)));
    socket.on('connect', () => socket.write(word));
    socket.on('data', chunk => (answer += chunk.toString()));
    socket.on('end', () => {
      socket.destroy();
      resolve(answer);
    });
    socket.on('error', reject);
  });
}
