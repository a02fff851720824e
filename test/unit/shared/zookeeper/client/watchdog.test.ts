import { describe, expect, it } from 'vitest';
import type { Timers } from '../../../../../shared/runtime/clock.ts';
import { Watchdog } from '../../../../../shared/zookeeper/client/watchdog.ts';

/** Timers of which only the periodic one is used, fired by hand. */
function manualTimers() {
  let callback: (() => void) | null = null;
  let period = 0;
  const timers = {
    every(periodMs: number, call: () => void) {
      period = periodMs;
      callback = call;
      return { cancel: () => (callback = null) };
    },
  } as unknown as Timers;
  return { timers, tick: () => callback?.(), period: () => period };
}

describe('the watchdog', () => {
  function setUp(sessionTimeoutMs = 8000) {
    const manual = manualTimers();
    const log: string[] = [];
    const watchdog = new Watchdog(
      manual.timers,
      () => log.push('probe'),
      () => log.push('give up'),
    );
    watchdog.start(sessionTimeoutMs);
    return { ...manual, log, watchdog };
  }

  it('asks a silent server, and gives up before half of the session timeout is over', () => {
    const { tick, log, period } = setUp();
    for (let i = 0; i < 4; i++) tick();
    expect(log).toEqual(['probe', 'probe', 'give up']);
    expect(4 * period()).toBeLessThanOrEqual(4000);
  });

  it('lets a server be that says anything at all', () => {
    const { tick, log, watchdog } = setUp();
    for (let i = 0; i < 20; i++) {
      tick();
      tick();
      tick();
      watchdog.heard();
    }
    expect(log).not.toContain('give up');
  });

  it('gives the next connection as much time as the first', () => {
    const { tick, log } = setUp();
    for (let i = 0; i < 7; i++) tick();
    expect(log.filter(entry => entry === 'give up')).toHaveLength(1);
    tick();
    expect(log.filter(entry => entry === 'give up')).toHaveLength(2);
  });

  it('rests when stopped', () => {
    const { tick, log, watchdog } = setUp();
    watchdog.stop();
    for (let i = 0; i < 10; i++) tick();
    expect(log).toEqual([]);
  });
});
