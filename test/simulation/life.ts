import type { Timer } from '../../shared/runtime/clock.ts';
import { TimersOverAfter, type VirtualTime } from '../support/virtual-time.ts';

/**
 * One life of a simulated process: whatever reaches it, timers included, comes through here.
 *
 *     running ⇄ frozen (SIGSTOP: everything waits)      running, frozen → over (nothing ever happens again)
 */
export class Life extends TimersOverAfter {
  readonly #time: VirtualTime;
  #state: 'running' | 'frozen' | 'over' = 'running';
  #backlog: (() => void)[] = [];
  /** How often it has been frozen. */
  freezes = 0;

  constructor(time: VirtualTime) {
    super();
    this.#time = time;
  }

  get isFrozen(): boolean {
    return this.#state === 'frozen';
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** Does it now, when the process runs again, or never. */
  run(action: () => void): void {
    if (this.#state === 'running') action();
    else if (this.#state === 'frozen') this.#backlog.push(action);
  }

  after(delayMs: number, callback: () => void): Timer {
    let isCancelled = false;
    const fire = () => {
      if (!isCancelled) callback();
    };
    const timer = this.#time.after(delayMs, () => this.run(fire));
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  freeze(): void {
    if (this.#state !== 'running') return;
    this.#state = 'frozen';
    this.freezes++;
  }

  /** What has gathered happens one by one, each with all its consequences. */
  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    for (const action of this.#backlog.splice(0)) this.#time.after(0, () => this.run(action));
  }

  end(): void {
    this.#state = 'over';
    this.#backlog = [];
  }
}
