import { waitFor } from '../../support/wait.ts';
import type { ForeignClient, GroupRecord, Membership } from './foreign-client.ts';

const POLL_MS = 200;

/** What a member does with what it reads; the records are committed when this has returned. */
export type Work = (records: readonly GroupRecord[], member: ForeignMember) => void;

/** A foreign client as a member of a group: it reads, works and commits, over and over, until it leaves or is killed. */
export class ForeignMember {
  readonly name: string;
  /** What it believes to have. */
  partitions: readonly number[] = [];
  /** The fewest that it has had at a time since it was first assigned any. */
  fewest = Infinity;
  /** All that it has read, repeats included. */
  readonly values: string[] = [];
  readonly #client: ForeignClient;
  readonly #work: Work;
  readonly #running: Promise<void>;
  #isMember = true;
  /** Why the last poll or commit failed; null: it did not. A group in trouble refuses commits, which is no fault. */
  #complaint: string | null = null;

  private constructor(name: string, client: ForeignClient, work: Work) {
    this.name = name;
    this.#client = client;
    this.#work = work;
    this.#running = this.#run();
  }

  static async join(client: ForeignClient, membership: Membership, work: Work = () => {}): Promise<ForeignMember> {
    await client.ask('join', membership);
    return new ForeignMember(membership.clientId, client, work);
  }

  async #run(): Promise<void> {
    while (this.#isMember) {
      try {
        const { partitions, records } = await this.#client.ask('poll', { waitMs: POLL_MS });
        this.#has(partitions);
        this.#take(records);
        if (records.length > 0) await this.#client.ask('commit', {});
        this.#complaint = null;
      } catch (error) {
        this.#complaint = (error as Error).message;
      }
    }
  }

  #has(partitions: readonly number[]): void {
    this.partitions = partitions;
    if (partitions.length > 0 || this.fewest < Infinity) this.fewest = Math.min(this.fewest, partitions.length);
  }

  #take(records: readonly GroupRecord[]): void {
    this.values.push(...records.map(({ value }) => value));
    if (records.length > 0) this.#work(records, this);
  }

  /** Waits for something about this member, and says what troubled it if it does not come. */
  async until(what: string, condition: () => boolean): Promise<void> {
    try {
      await waitFor(`${this.name} ${what}`, condition);
    } catch (error) {
      const has = `it has [${this.partitions.join()}] and ${this.values.length} records`;
      const complaint = this.#complaint === null ? '' : `, and complains: ${this.#complaint}`;
      throw new Error(`${(error as Error).message}; ${has}${complaint}`, { cause: error });
    }
  }

  async untilRead(values: readonly string[]): Promise<void> {
    await this.until(`to read ${values.length} records`, () => values.every(value => this.values.includes(value)));
  }

  /** Leaves the group as the client does it; the process may serve for something else. */
  async leave(): Promise<void> {
    this.#isMember = false;
    await this.#running;
    const { records = [] } = await this.#client.ask('leave', {});
    this.#take(records);
    this.partitions = [];
  }

  /** Its process dies without a word to anybody. */
  async kill(): Promise<void> {
    this.#isMember = false;
    this.#client.close();
    await this.#running;
    this.partitions = [];
  }
}
