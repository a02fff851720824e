import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { Json } from '../../shared/protocol/json.ts';

const JARS = join(import.meta.dirname, '../../.tooling/clients/java');
const DRIVERS = join(import.meta.dirname, 'drivers/java');

/** Exists where bin/setup could not get the Java client, and says why. */
export const JAVA_ABSENCE = `${JARS}.missing`;

/** What runs one of the drivers that stand on the Java client. */
export function javaDriver(name: string): [program: string, args: string[]] {
  return ['java', ['-cp', `${JARS}/*`, join(DRIVERS, `${name}.java`)]];
}

interface Answer {
  readonly bytes?: string;
  readonly error?: string;
}

/** Apache Kafka's own codec in one JVM; dies with the test process. */
export class JavaCodec {
  readonly #child: ChildProcess;
  readonly #waiting: ((answer: Answer) => void)[] = [];
  #stderr = '';

  constructor() {
    const [program, args] = javaDriver('Codec');
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], { stdio: 'pipe' });
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#child.stdin!.on('error', () => {});
    createInterface({ input: this.#child.stdout! }).on('line', line => {
      this.#waiting.shift()!(JSON.parse(line) as Answer);
    });
    this.#child.once('close', code => {
      for (const resolve of this.#waiting.splice(0)) resolve({ error: `the JVM ended with ${code}: ${this.#stderr}` });
    });
  }

  /** The message in its binary form. @throws Error with Kafka's words when it does not take the JSON */
  encode(message: string, version: number, json: Json): Promise<Buffer> {
    return this.#ask({ message, version, json });
  }

  /** The headers of a request and of its response, one behind the other. */
  headers(apiKey: number, version: number, correlationId: number, clientId: string): Promise<Buffer> {
    return this.#ask({ apiKey, version, correlationId, clientId });
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask(request: object): Promise<Buffer> {
    const answer = await new Promise<Answer>(resolve => {
      this.#waiting.push(resolve);
      // 64 bits are text in our JSON where a number would not be exact; Kafka's takes numbers only, of any length.
      const line = JSON.stringify(request).replaceAll(/"(-?\d{16,19})"/g, '$1');
      this.#child.stdin!.write(`${line}\n`);
    });
    if (answer.bytes === undefined) throw new Error(`${answer.error}, asked ${JSON.stringify(request).slice(0, 2000)}`);
    return Buffer.from(answer.bytes, 'base64');
  }
}
