import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Membership } from '../matrix/foreign-client.ts';
import { Inbox } from './inbox.ts';
import type { Handlers } from './lines.ts';

/** Commits what it has written down, so often. */
const COMMIT_INTERVAL_MS = 100;

interface JsonRecord {
  readonly partition: number;
  readonly offset: number;
  readonly payload: string;
}

/** `kcat -G`: one process as long as it is a member. It tells on stderr what it is assigned and what it gives up. */
export function kcatMember(bootstrap: () => string): Pick<Handlers, 'join' | 'poll' | 'commit' | 'leave'> {
  let child: ChildProcess;
  let inbox: Inbox;
  let ended: Promise<unknown>;

  function join({ group, topic, clientId, strategy, sessionTimeoutMs, heartbeatMs }: Membership): Promise<object> {
    const settings = [
      `client.id=${clientId}`,
      `partition.assignment.strategy=${strategy}`,
      `session.timeout.ms=${sessionTimeoutMs}`,
      `heartbeat.interval.ms=${heartbeatMs}`,
      `auto.commit.interval.ms=${COMMIT_INTERVAL_MS}`,
      'auto.offset.reset=earliest',
    ].flatMap(setting => ['-X', setting]);
    const args = ['-b', bootstrap(), '-G', group, '-J', '-u', ...settings, topic];
    child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'kcat', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    inbox = new Inbox();
    const held = new Set<number>();
    createInterface({ input: child.stderr! }).on('line', line => heard(line, held, inbox));
    const lines = createInterface({ input: child.stdout! });
    lines.on('line', line => {
      const { partition, offset, payload } = JSON.parse(line) as JsonRecord;
      inbox.put({ partition, offset, value: payload });
    });
    ended = once(lines, 'close');
    return Promise.resolve({});
  }

  return {
    join,
    poll: ({ waitMs }) => inbox.poll(waitMs),
    commit: () => Promise.resolve({}),
    async leave() {
      child.kill('SIGTERM');
      await ended;
      return { records: (await inbox.poll(0)).records };
    },
  };
}

/** `% Group g rebalanced (…): assigned: t [0], t [1]`, or `% Group g rebalanced: incremental revoke of … (…): t [0]`. */
function heard(line: string, held: Set<number>, inbox: Inbox): void {
  const change = /rebalanced.*(assigned|revoked|incremental assignment|incremental revoke)[^:]*: (.*)/.exec(line);
  if (change === null) return;
  const isMine = change[1] === 'assigned' || change[1] === 'incremental assignment';
  for (const [, partition] of change[2]!.matchAll(/\[(\d+)\]/g)) {
    if (isMine) held.add(Number(partition));
    else held.delete(Number(partition));
  }
  inbox.holds(held);
}
