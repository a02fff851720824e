import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { apacheTool } from './apache-java.ts';

/** A JVM that runs one of the Java files here as long as the bench does: warm after the first turns, and the same for both sides. */
export class JavaPeer {
  readonly #file: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  constructor(file: string) {
    this.#file = file;
    this.#child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', '--', 'java', ...apacheTool(join(import.meta.dirname, file))],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Sends one line of words. @returns the words of the line that answers it */
  async ask(...words: readonly (string | number)[]): Promise<string[]> {
    this.#child.stdin.write(`${words.join(' ')}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`${this.#file} ended before its answer`);
    return value.split(' ');
  }

  stop(): void {
    this.#child.stdin.end();
    this.#child.kill();
  }
}
