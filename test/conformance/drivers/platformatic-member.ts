import { Consumer, type BaseOptions, type ConsumerGroupJoinPayload } from '@platformatic/kafka';
import type { Membership } from '../matrix/foreign-client.ts';
import { Inbox } from './inbox.ts';
import type { Handlers } from './lines.ts';

interface Closable {
  close(): Promise<void>;
}

/** For a stream that does not end although it is closed. */
const LEAVING_LIMIT_MS = 10_000;

/** What was still under way in the stream may fail. */
function close(stream: Closable | null): void {
  stream?.close().catch(console.error);
}

/**
 * @platformatic/kafka in a group: its consumer gives a stream, which ends where a commit came too late. A stream that
 * goes on through a rebalance has been seen to leave out a partition that was new to it, for good, on a busy machine: so
 * each assignment gets a stream of its own.
 */
export function platformaticMember(options: () => BaseOptions): Pick<Handlers, 'join' | 'poll' | 'commit' | 'leave'> {
  let consumer: Consumer;
  let inbox: Inbox;
  let topic: string;
  let isMember = false;
  let stream: Closable | null = null;
  let reading: Promise<void>;

  async function join(membership: Membership): Promise<object> {
    const { group, clientId, strategy, sessionTimeoutMs, heartbeatMs } = membership;
    ({ topic } = membership);
    inbox = new Inbox();
    consumer = new Consumer({
      ...options(),
      clientId,
      groupId: group,
      protocols: [{ name: strategy, version: 1 }],
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTime: heartbeatMs,
      autocommit: false,
    });
    consumer.on('consumer:group:join', ({ assignments = [] }: ConsumerGroupJoinPayload) => {
      inbox.assigned(assignments.flatMap(({ partitions }) => partitions));
      close(stream);
      stream = null;
    });
    isMember = true;
    reading = read(consumer, inbox);
    return Promise.resolve({});
  }

  async function read(from: Consumer, to: Inbox): Promise<void> {
    while (isMember) {
      try {
        const opened = await from.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' });
        stream = opened;
        if (!isMember) close(opened);
        for await (const { partition, offset, value } of opened) {
          // The stream may still hold what came before the last rebalance: its successor begins at what is committed.
          if (stream === opened && to.isMine(partition))
            to.put({ partition, offset: Number(offset), value: value.toString() });
        }
      } catch {
        // The coordinator has moved, or the group: the next stream begins at what is committed.
        await new Promise(resolve => setTimeout(resolve, 100));
      }
    }
  }

  return {
    join,
    poll: ({ waitMs }) => inbox.poll(waitMs),
    async commit() {
      const offsets = inbox
        .takeGiven()
        .map(({ partition, next }) => ({ topic, partition, offset: BigInt(next), leaderEpoch: -1 }));
      if (offsets.length > 0) await consumer.commit({ offsets });
      return {};
    },
    async leave() {
      isMember = false;
      // The client refuses to leave when a stream has been opened while it closed the others.
      close(stream);
      await Promise.race([reading, new Promise(resolve => setTimeout(resolve, LEAVING_LIMIT_MS))]);
      await consumer.close(true);
      return {};
    },
  };
}
