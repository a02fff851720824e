import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What a `group-member.ts` tells, and a `bank-clerk.ts` of its troubles. Offsets are of the records to be read next: `[partition, offset]`. */
export type MemberEvent =
  | {
      readonly event: 'assigned';
      readonly memberId: string;
      readonly generation: number;
      /** All partitions that it has now. */
      readonly owned: readonly number[];
      readonly added: readonly number[];
    }
  | { readonly event: 'worked'; readonly partition: number; readonly offset: number; readonly value: string }
  | { readonly event: 'committing' | 'committed'; readonly offsets: readonly (readonly [number, number])[] }
  | { readonly event: 'trouble'; readonly message: string };

/** A member of a group in a process of its own, which a test may kill, freeze and ask to leave. */
export class MemberProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  isFrozen = false;

  /** @param program a file beside this one that takes a topic and settings, and tells events */
  constructor(
    topic: string,
    settings: Readonly<Record<string, string>>,
    onEvent: (event: MemberEvent) => void,
    program = 'group-member.ts',
  ) {
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, program)];
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...node, topic, JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // What it has written is heard to the end, however it dies.
    const lines = createInterface({ input: this.#child.stdout! });
    lines.on('line', line => {
      if (line.endsWith('}')) onEvent(JSON.parse(line) as MemberEvent);
    });
    this.#ended = once(lines, 'close');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  freeze(): void {
    this.isFrozen = true;
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.isFrozen = false;
    this.#child.kill('SIGCONT');
  }

  /** Leaves its group. */
  async leave(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
