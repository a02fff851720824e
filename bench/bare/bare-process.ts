import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Address } from '../../shared/connection/connection.ts';
import type { Dialect } from '../harness/dialect.ts';
import type { BareOptions } from './options.ts';

/** The bare program of a dialect, running; dies with this process. */
export class BareProcess {
  readonly address: Address;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.address = { host: '127.0.0.1', port };
  }

  static async start(dialect: Dialect, { file, topic, batchBytes }: BareOptions): Promise<BareProcess> {
    const program = join(import.meta.dirname, '..', `bare-${dialect}.ts`);
    const options = ['--file', file, '--topic', topic, '--batch-bytes', String(batchBytes)];
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', program, ...options];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
    const port = await new Promise<number>((resolve, reject) => {
      child.once('exit', code => reject(new Error(`${program} ended with ${code}`)));
      child.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())));
    });
    return new BareProcess(child, port);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Has it begin again with an empty file; takes effect before the next request that is sent. */
  reset(): void {
    this.#child.kill('SIGHUP');
  }

  async stop(): Promise<void> {
    const exited = new Promise(resolve => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await exited;
  }
}
