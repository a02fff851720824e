import kafkajs, { type Consumer, type Kafka, type PartitionAssigner } from 'kafkajs';
import type { Membership } from '../matrix/foreign-client.ts';
import { Inbox } from './inbox.ts';
import type { Handlers } from './lines.ts';

// Node does not see the names that this package exports.
const { AssignerProtocol, PartitionAssigners } = kafkajs;

/** The client's only assignor under the name that other clients know it by. */
const roundRobin: PartitionAssigner = config => ({
  ...PartitionAssigners.roundRobin(config),
  name: 'roundrobin',
  protocol: ({ topics }) => ({
    name: 'roundrobin',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
  }),
});

/** kafkajs in a group: its consumer hands over batches, and asks for heartbeats only between them. */
export function kafkajsMember(
  connect: (clientId: string) => Kafka,
): Pick<Handlers, 'join' | 'poll' | 'commit' | 'leave'> {
  let consumer: Consumer;
  let inbox: Inbox;
  let topic: string;

  async function join(membership: Membership): Promise<object> {
    const { group, clientId, sessionTimeoutMs, heartbeatMs } = membership;
    ({ topic } = membership);
    const own = new Inbox();
    inbox = own;
    consumer = connect(clientId).consumer({
      groupId: group,
      partitionAssigners: [roundRobin],
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTimeInMs: heartbeatMs,
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => own.assigned(payload.memberAssignment[topic] ?? []));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ partition, message: { offset, value } }) => {
        own.put({ partition, offset: Number(offset), value: value!.toString() });
        return Promise.resolve();
      },
    });
    return {};
  }

  return {
    join,
    poll: ({ waitMs }) => inbox.poll(waitMs),
    async commit() {
      const offsets = inbox.takeGiven().map(({ partition, next }) => ({ topic, partition, offset: String(next) }));
      if (offsets.length > 0) await consumer.commitOffsets(offsets);
      return {};
    },
    async leave() {
      await consumer.disconnect();
      return {};
    },
  };
}
