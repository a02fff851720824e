import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** One record, as drivers take and give it. All text is UTF-8. */
export interface DriverRecord {
  readonly key: string | null;
  readonly value: string;
  /** Left to the client's own partitioner when null. */
  readonly partition: number | null;
  readonly headers: readonly (readonly [string, string])[];
  /** Milliseconds since 1970; null: the client's clock. */
  readonly timestamp: number | null;
}

export type ReadRecord = Omit<DriverRecord, 'partition' | 'timestamp'> & {
  readonly offset: number;
  readonly timestamp: number;
};

/** Where reading begins; a timestamp stands for the first record that is not older. */
export type Start = 'beginning' | { readonly offset: number } | { readonly timestamp: number };

export type Isolation = 'read_uncommitted' | 'read_committed';

/** A record as a member of a group hands it on. */
export interface GroupRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/** What a client is told when it is to be a member of a group. */
export interface Membership {
  readonly group: string;
  readonly topic: string;
  readonly clientId: string;
  /** The only assignor that it may offer, by the name that goes over the wire. */
  readonly strategy: string;
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
}

interface TopicName {
  readonly topic: string;
}

interface PartitionName extends TopicName {
  readonly partition: number;
}

/**
 * What a driver is asked, by command: one line of JSON `{id, command, …request}` on its standard input, answered by one
 * line `{id, …answer}` or `{id, error}` on its standard output, in order.
 */
export interface Commands {
  /** The first command; the versions are of the client library. */
  hello: [{ readonly bootstrap: string }, { readonly version: string }];
  /** Answered when everything is acknowledged (`acks` 0: handed to the network). */
  produce: [
    TopicName & {
      readonly codec: string;
      readonly acks: number;
      readonly idempotent: boolean;
      readonly records: readonly DriverRecord[];
    },
    object,
  ];
  /** Reads by assignment, without a group, until a record with the value `until` has come (it is the last one given). */
  consume: [
    PartitionName & { readonly from: Start; readonly until: string; readonly isolation: Isolation },
    { readonly records: readonly ReadRecord[] },
  ];
  /** The offset at either end, or of the first record that is not older than so many milliseconds since 1970. */
  offset: [PartitionName & { readonly at: 'earliest' | 'latest' | number }, { readonly offset: number }];
  createTopic: [
    TopicName & {
      readonly partitions: number;
      readonly replicationFactor: number;
      readonly configs: Readonly<Record<string, string>>;
    },
    object,
  ];
  listTopics: [object, { readonly topics: readonly string[] }];
  describeTopic: [
    TopicName,
    {
      readonly partitions: readonly {
        readonly partition: number;
        readonly leader: number;
        readonly replicas: readonly number[];
      }[];
    },
  ];
  createPartitions: [TopicName & { readonly count: number }, object];
  alterConfig: [TopicName & { readonly configs: Readonly<Record<string, string>> }, object];
  describeConfig: [
    TopicName & { readonly names: readonly string[] },
    { readonly configs: Readonly<Record<string, string>> },
  ];
  deleteTopic: [TopicName, object];
  /** Becomes a member, one at a time; reads from the beginning of the topic where nothing is committed. */
  join: [Membership, object];
  /** What has come, waited for so long, and the partitions that the member believes to be its own. */
  poll: [
    { readonly waitMs: number },
    { readonly partitions: readonly number[]; readonly records: readonly GroupRecord[] },
  ];
  /** Commits what `poll` has given. */
  commit: [object, object];
  /** Leaves the group. Its records came since the last `poll`, and count as given. */
  leave: [object, { readonly records?: readonly GroupRecord[] }];
  /** A transactional producer more, initialized; others have the same transactional id. `producer` is its name from now on. */
  openProducer: [{ readonly producer: string; readonly transactionalId: string }, object];
  /**
   * Writes in the producer's transaction, which begins where none is open, and ends it; null leaves it open. Answered
   * when everything is acknowledged.
   */
  transact: [
    TopicName & {
      readonly producer: string;
      readonly records: readonly DriverRecord[];
      readonly end: 'commit' | 'abort' | null;
    },
    object,
  ];
  /**
   * Copies the values of a partition 0 as a member of a group, in transactions that the group's offsets are part of, until
   * that of `until` is committed. The first transaction is aborted, and begun again.
   */
  copy: [
    {
      readonly group: string;
      readonly source: string;
      readonly target: string;
      readonly transactionalId: string;
      readonly until: string;
    },
    object,
  ];
}

interface Pending {
  readonly command: string;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const COMMAND_TIMEOUT_MS = 60_000;

/** A foreign client in a process of its own, driven over its standard streams; dies with the test process. */
export class ForeignClient {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #stderr = '';

  constructor(program: string, args: readonly string[]) {
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], { stdio: 'pipe' });
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#stderr = (this.#stderr + chunk.toString()).slice(-4000)));
    this.#child.stdin!.on('error', () => {});
    createInterface({ input: this.#child.stdout! }).on('line', line => this.#answered(line));
    this.#child.once('error', error => this.#end(error.message));
    this.#child.once('close', code => this.#end(`the driver ended with ${code}`));
  }

  /** @throws Error with the client's own words when it could not do it */
  ask<C extends keyof Commands>(command: C, request: Commands[C][0]): Promise<Commands[C][1]> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const timer = setTimeout(() => this.#fail(id, `no answer within ${COMMAND_TIMEOUT_MS} ms`), COMMAND_TIMEOUT_MS);
      this.#pending.set(id, { command, resolve, reject, timer });
      this.#child.stdin!.write(`${JSON.stringify({ id, command, ...request })}\n`);
    });
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  #answered(line: string): void {
    const { id, error, ...answer } = JSON.parse(line) as { id: number; error?: string };
    if (error !== undefined) {
      this.#fail(id, error);
      return;
    }
    this.#take(id)?.resolve(answer as never);
  }

  #fail(id: number, reason: string): void {
    const pending = this.#take(id);
    pending?.reject(new Error(`${pending.command}: ${reason}\n${this.#stderr}`));
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(pending?.timer);
    return pending;
  }

  #end(reason: string): void {
    for (const id of [...this.#pending.keys()]) this.#fail(id, reason);
  }
}
