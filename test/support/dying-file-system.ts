import type { Timers } from '../../shared/runtime/clock.ts';
import type { FileHandle, FileSystem } from '../../shared/runtime/file-system.ts';

/** The calls that change something on the disk, or promise that it is there for good. */
const CHANGES = new Set([
  'writeFile',
  'replaceFile',
  'makeDirectory',
  'rename',
  'removeFile',
  'removeFileSync',
  'removeDirectory',
  'setModifiedTime',
  'syncDirectory',
  'writevSync',
  'writev',
  'truncateSync',
  'sync',
  'syncSync',
]);

/**
 * A file system as a process sees it that dies at one of its changes: that one and everything after it fails. The disk
 * below keeps what was done before.
 */
export class DyingProcess {
  readonly fs: FileSystem;
  #changesLeft = Infinity;

  constructor(disk: FileSystem) {
    this.fs = this.#watch(disk, (name, result) =>
      name === 'open' ? this.#watch(result as FileHandle, (_, value) => value) : result,
    );
  }

  get isDead(): boolean {
    return this.#changesLeft <= 0;
  }

  /** Its timers do nothing any more once it is dead. */
  timers(time: Timers): Timers {
    const ifAlive = (callback: () => void) => () => (this.isDead ? undefined : callback());
    return {
      after: (ms, callback) => time.after(ms, ifAlive(callback)),
      every: (ms, callback, first) => time.every(ms, ifAlive(callback), first),
      endOfTurn: callback => time.endOfTurn(callback),
      sleep: (ms, signal) => time.sleep(ms, signal),
    };
  }

  /** It makes so many more changes. */
  dieAfter(changes: number): void {
    this.#changesLeft = changes;
  }

  #watch<T extends object>(target: T, wrap: (name: string, result: unknown) => unknown): T {
    return new Proxy(target, {
      get: (_, name: string) => {
        const member = target[name as keyof T];
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          this.#step(name, args);
          return wrap(name, member.apply(target, args));
        };
      },
    });
  }

  #step(name: string, args: readonly unknown[]): void {
    const isChange = CHANGES.has(name) || (name === 'open' && args[1] === 'w+');
    if (this.isDead && name !== 'closeSync')
      throw Object.assign(new Error('EIO: the process is dead'), { code: 'EIO' });
    if (isChange && --this.#changesLeft <= 0) throw Object.assign(new Error('EIO: the process dies'), { code: 'EIO' });
  }
}
