import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

/** A mistake that could have been made: a piece of a source file, and what stands in its place. */
interface PlantedBug {
  readonly file: string;
  readonly right: string;
  readonly wrong: string;
  /** Options of `npm run test:sim` under which some seed finds it. */
  readonly foundBy: readonly string[];
}

/** Mistakes that the simulation has to find, or it would prove nothing (docs/decisions/0002-simulation.md). */
export const PLANTED_BUGS: Readonly<Record<string, PlantedBug>> = {
  /** The high watermark waits for the committed ISR only, not for who may have been added to it meanwhile. */
  'committed-isr': {
    file: 'broker/replication/leadership.ts',
    right: 'inMaximalIsr(this.#isr, brokerId) || (this.#surroundings.isAlive(brokerId) && this.#isCaughtUp(follower));',
    wrong: 'this.#isr.isr.has(brokerId);',
    foundBy: ['--seeds', '60', '--faults', 'change of guard'],
  },
  /** The controller takes changes of in-sync sets from whoever was a leader once. */
  'stale-proposals': {
    file: 'broker/controller/isr-verdict.ts',
    right: 'rules.find(rule => rule.applies(proposal, situation));',
    wrong: 'rules.find(rule => rule.errorCode === ErrorCode.INELIGIBLE_REPLICA && rule.applies(proposal, situation));',
    foundBy: ['--seeds', '200'],
  },
  /** A batch that is sent again is taken for a new one, whatever its numbers. */
  'no-sequence-check': {
    file: 'broker/storage/log-appender.ts',
    right: 'const duplicate = state.producers.take(prepared.bytes, options);',
    wrong: 'const duplicate = null as WrittenBatch | null;',
    foundBy: ['--seeds', '60'],
  },
  /** A group's coordinator takes commits from members that the group has gone on without. */
  'zombie-commits': {
    file: 'broker/group/validation.ts',
    right: 'if (errorCode !== ErrorCode.NONE) return errorCode;\n  return generationId === group.generationId',
    wrong: 'return true',
    foundBy: ['--seeds', '60', '--faults', 'freeze member,cut member'],
  },
  /** A transaction's coordinator lets a producer end what its successor has begun. */
  'zombie-ends': {
    file: 'broker/transaction/decisions.ts',
    right: 'return producerEpoch === content.producerEpoch ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED;',
    wrong: 'return ErrorCode.NONE;',
    foundBy: ['--seeds', '60', '--faults', 'zombie teller'],
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
