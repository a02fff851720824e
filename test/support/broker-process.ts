import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from './wait.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface BrokerOptions {
  readonly id: number;
  readonly port: number;
  readonly zookeeper: string;
  /** Directory of this broker's files: properties, log, data. */
  readonly directory: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** What runs with the properties file as its last argument; the launcher in bin/ by default. */
  readonly command?: readonly string[];
}

/** A real broker process, started by the real launcher; dies with the test process. */
export class BrokerProcess {
  readonly id: number;
  readonly port: number;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly #options: BrokerOptions;
  #child: ChildProcess | null = null;
  #exited: Promise<number | null> = Promise.resolve(null);

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.id = options.id;
    this.port = options.port;
    this.dataDirectory = join(options.directory, 'data');
    this.logFile = join(options.directory, 'broker.log');
    mkdirSync(this.dataDirectory, { recursive: true });
    writeFileSync(this.#propertiesFile, this.#properties());
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** Everything this broker has written to stdout and stderr, over all its starts. */
  get output(): string {
    try {
      return readFileSync(this.logFile, 'utf8');
    } catch {
      return '';
    }
  }

  /** Starts the process without waiting. `environment` is added for this start only. */
  spawn(environment: Readonly<Record<string, string>> = {}): void {
    const command = this.#options.command ?? [join(ROOT, 'bin/kafka-server-start')];
    // The broker writes the file itself, so that its last words are there when it has ended.
    const log = openSync(this.logFile, 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command, this.#propertiesFile], {
      cwd: this.#options.directory,
      env: { ...process.env, ...this.#options.environment, ...environment },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise(resolve => {
      child.once('exit', code => {
        if (this.#child === child) this.#child = null;
        resolve(code);
      });
    });
  }

  /** Starts the process and waits until it says that it has started. */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const seen = this.#starts();
    this.spawn(environment);
    await waitFor(`broker ${this.id} to start`, () => {
      if (this.#child === null) throw new Error(`broker ${this.id} exited:\n${this.output.slice(-3000)}`);
      return this.#starts() > seen;
    });
  }

  #starts(): number {
    return this.output.split(`[KafkaServer id=${this.id}] started`).length - 1;
  }

  /** kill -9: nothing is flushed, nobody is told. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM and wait: a controlled shutdown. Resolves with the exit code. */
  async stop(): Promise<number | null> {
    this.#child?.kill('SIGTERM');
    return this.#exited;
  }

  /** Resolves with the exit code once the process has ended by itself. */
  exited(): Promise<number | null> {
    return this.#exited;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  get #propertiesFile(): string {
    return join(this.#options.directory, 'server.properties');
  }

  #properties(): string {
    const { id, port, zookeeper, properties } = this.#options;
    const all: Record<string, string> = {
      'broker.id': String(id),
      listeners: `PLAINTEXT://127.0.0.1:${port}`,
      'log.dirs': this.dataDirectory,
      'zookeeper.connect': zookeeper,
      'zookeeper.session.timeout.ms': '2000',
      // Otherwise a start fails where the machine has more to do than to start it.
      'zookeeper.connection.timeout.ms': '20000',
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'group.initial.rebalance.delay.ms': '0',
      'controlled.shutdown.retry.backoff.ms': '500',
      ...properties,
    };
    return Object.entries(all)
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');
  }
}
