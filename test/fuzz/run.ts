import { waitFor } from '../support/wait.ts';
import { Neighbour } from '../support/neighbour.ts';
import { BatchPool } from './batches.ts';
import { conversation, type Conversation, type DialectName } from './conversations.ts';
import { captureClientHello, say } from './speaker.ts';
import { Target } from './target.ts';

export interface RunOptions {
  readonly inputs: number;
  readonly seed: number;
  readonly dialects: readonly DialectName[];
  /** Number of the first conversation: later than 0 to see a part of a run again. */
  readonly first: number;
  /** Gets a line for every tenth of the run. */
  readonly print: (line: string) => void;
}

export interface RunReport {
  /** What went wrong, each a sentence; empty when nothing did. */
  readonly problems: readonly string[];
  /** From the end of the warm-up to the end of the run. */
  readonly rssGrowthBytes: number;
  readonly neighbourAnswers: number;
}

/** What the broker's resident memory may grow by once it is warm. */
export const RSS_GROWTH_LIMIT_BYTES = 64 << 20;
const AT_A_TIME = 32;
/** Code, pools and heap grow to their working size meanwhile: so much of the run, within bounds. */
const warmUpOf = (inputs: number) => Math.min(50_000, Math.floor(inputs / 3));
/** After the noise, memory has so long to come down again before its growth counts. */
const SETTLE_MS = 10_000;

/** Starts a broker, throws the inputs at it, and tells what they did. */
export async function runFuzz(options: RunOptions): Promise<RunReport> {
  const clientHello = await captureClientHello();
  const target = await Target.start();
  try {
    const run = new FuzzRun(options, target, clientHello);
    return await run.toEnd();
  } finally {
    await target.stop();
  }
}

class FuzzRun {
  readonly #options: RunOptions;
  readonly #target: Target;
  readonly #source: Parameters<typeof conversation>[0];
  /** Conversations under way: one of them did it, if something happens. */
  readonly #underWay = new Set<Conversation>();
  readonly #problems: string[] = [];
  readonly #started = performance.now();
  #nextNumber: number;
  #drawn = 0;
  #done = 0;
  #warmBytes = 0;

  constructor(options: RunOptions, target: Target, clientHello: Buffer) {
    this.#options = options;
    this.#target = target;
    this.#nextNumber = options.first;
    const stock = { batches: new BatchPool(options.seed), topicIds: target.topicIds };
    this.#source = { seed: options.seed, dialects: options.dialects, stock, clientHello };
  }

  async toEnd(): Promise<RunReport> {
    const neighbour = await Neighbour.at(this.#target.ports.plain);
    const watch = setInterval(() => this.#look(neighbour), 500);
    await Promise.all(Array.from({ length: AT_A_TIME }, () => this.#talk(neighbour)));
    clearInterval(watch);
    this.#look(neighbour);
    await neighbour.stop().catch(() => {});
    const rssGrowthBytes = this.#problems.length === 0 ? await this.#settledGrowth() : 0;
    if (rssGrowthBytes >= RSS_GROWTH_LIMIT_BYTES) this.#problem(`its memory grew by ${rssGrowthBytes >> 20} MiB`);
    return { problems: this.#problems, rssGrowthBytes, neighbourAnswers: neighbour.answered };
  }

  async #talk(neighbour: Neighbour): Promise<void> {
    while (this.#drawn < this.#options.inputs && this.#problems.length === 0) {
      const next = conversation(this.#source, this.#nextNumber++);
      this.#drawn += next.inputs.length;
      this.#underWay.add(next);
      await say(next, this.#target.ports).catch((error: unknown) => this.#problem((error as Error).message));
      // One that was under way when it happened stays in sight.
      if (this.#problems.length === 0) this.#underWay.delete(next);
      this.#count(next.inputs.length, neighbour);
    }
  }

  #count(inputs: number, neighbour: Neighbour): void {
    const tenth = Math.floor((this.#done * 10) / this.#options.inputs);
    this.#done += inputs;
    if (!this.#target.alive) {
      this.#look(neighbour);
      return;
    }
    if (this.#warmBytes === 0 && this.#done >= warmUpOf(this.#options.inputs))
      this.#warmBytes = this.#target.residentBytes;
    if (Math.floor((this.#done * 10) / this.#options.inputs) === tenth) return;
    const seconds = (performance.now() - this.#started) / 1000;
    this.#options.print(
      `${this.#done} inputs, ${Math.round(this.#done / seconds)} a second; broker ${this.#target.residentBytes >> 20} MiB; ` +
        `the neighbour had ${neighbour.answered} answers, the slowest in ${Math.ceil(neighbour.slowestMs)} ms`,
    );
  }

  /** Looks for what should not be. The first thing found ends the run: what follows may come from it. */
  #look(neighbour: Neighbour): void {
    if (this.#problems.length > 0) return;
    const [complaint] = this.#target.complaints;
    if (!this.#target.alive) this.#problem(`the broker died; the end of its log:\n${this.#target.lastLines}`);
    else if (complaint !== undefined) this.#problem(`the broker complained: ${complaint.slice(0, 3000)}`);
    else if (neighbour.problem !== null) this.#problem(`a neighbour was not answered: ${neighbour.problem}`);
  }

  #problem(what: string): void {
    const { seed, dialects } = this.#options;
    const underWay = [...this.#underWay];
    const first = underWay[0]?.number ?? this.#options.first;
    const last = this.#nextNumber;
    let inputs = 0;
    for (let i = first; i < last; i++) inputs += conversation(this.#source, i).inputs.length;
    const dialect = new Set(dialects).size === 1 ? ` --dialect ${dialects[0]!}` : '';
    this.#problems.push(
      `${what}\nagain: npm run test:fuzz -- --seed ${seed}${dialect} --first ${first} --inputs ${inputs}`,
    );
  }

  async #settledGrowth(): Promise<number> {
    const growth = () => this.#target.residentBytes - this.#warmBytes;
    await waitFor('memory to come down', () => growth() < RSS_GROWTH_LIMIT_BYTES, { timeoutMs: SETTLE_MS }).catch(
      () => {},
    );
    return growth();
  }
}
