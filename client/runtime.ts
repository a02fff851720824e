import { systemClock, systemTimers, type Clock, type Timers } from '../shared/runtime/clock.ts';
import { silentLogger, type Logger } from '../shared/runtime/logger.ts';
import { systemRandom, type Random } from '../shared/runtime/random.ts';

/** What a client takes from its surroundings; the simulation and the tests hand in their own. */
export interface ClientRuntime {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
}

export const systemRuntime: ClientRuntime = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  logger: silentLogger,
};
