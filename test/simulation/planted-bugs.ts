import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

/** A mistake that could have been made: a piece of a source file, and what stands in its place. */
interface PlantedBug {
  readonly file: string;
  readonly right: string;
  readonly wrong: string;
  /** A seed that finds it. */
  readonly foundBy: number;
}

/** Mistakes that the simulation has to find, or it would prove nothing (docs/decisions/0002-simulation.md). */
export const PLANTED_BUGS: Readonly<Record<string, PlantedBug>> = {
  /** The high watermark waits for the committed ISR only, not for who may have been added to it meanwhile. */
  'committed-isr': {
    file: 'broker/replication/leadership.ts',
    right: 'inMaximalIsr(this.#isr, brokerId) || (this.#surroundings.isAlive(brokerId) && this.#isCaughtUp(follower));',
    wrong: 'this.#isr.isr.has(brokerId);',
    foundBy: 0,
  },
  /** Requests are answered whatever leader epoch they know. */
  'no-epoch-check': {
    file: 'broker/replication/partition.ts',
    right: 'if (requested === NO_EPOCH || requested === this.#leaderEpoch) return ErrorCode.NONE;',
    wrong: 'if (requested >= NO_EPOCH) return ErrorCode.NONE;',
    foundBy: 168,
  },
};

/**
 * Changes the sources as they are loaded: has to run before anything of the broker is imported.
 * @throws Error for a bug that does not exist or whose place is not there any more
 */
export function plant(name: string): void {
  const bug = PLANTED_BUGS[name];
  if (bug === undefined) throw new Error(`--bug ${name}: there are ${Object.keys(PLANTED_BUGS).join(', ')}`);
  const url = pathToFileURL(join(import.meta.dirname, '../..', bug.file)).href;
  registerHooks({
    load(loaded, context, nextLoad) {
      const result = nextLoad(loaded, context);
      if (loaded !== url) return result;
      const source = Buffer.from(result.source as Uint8Array).toString();
      if (!source.includes(bug.right)) throw new Error(`${bug.file} has no "${bug.right}" any more`);
      return { ...result, source: source.replace(bug.right, bug.wrong) };
    },
  });
}
