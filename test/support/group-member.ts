/**
 * A consumer process for tests that kill and freeze it: commits what it has worked on, and tells on stdout what happens
 * to it, a JSON object a line (`MemberEvent`). SIGTERM makes it leave its group.
 *
 *     node test/support/group-member.ts TOPIC '{"bootstrap.servers":"…","group.id":"…"}'
 */
import { writeSync } from 'node:fs';
import { createConsumer } from '../../client/create/consumer.ts';
import type { MemberEvent } from './member-process.ts';

const [topic, settings] = process.argv.slice(2);

/** At once and whole: who kills this process must not lose what it has done before. */
function tell(event: MemberEvent): void {
  writeSync(1, `${JSON.stringify(event)}\n`);
}

const consumer = createConsumer({
  'auto.offset.reset': 'earliest',
  'enable.auto.commit': 'false',
  ...(JSON.parse(settings!) as Record<string, unknown>),
});
const due = new Map<number, number>();
const partitionsOf = (partitions: readonly { readonly partition: number }[]) =>
  partitions.map(({ partition }) => partition);

consumer.subscribe([topic!], {
  onPartitionsAssigned: added => {
    const { memberId, generationId } = consumer.groupMetadata();
    const owned = partitionsOf(consumer.assignment());
    tell({ event: 'assigned', memberId, generation: generationId, owned, added: partitionsOf(added) });
  },
  onPartitionsRevoked: gone => {
    for (const { partition } of gone) due.delete(partition);
  },
});

let isRunning = true;
process.once('SIGTERM', () => {
  isRunning = false;
  consumer.wakeup();
});
while (isRunning) {
  try {
    for (const { partition, offset, value } of await consumer.poll(200)) {
      tell({ event: 'worked', partition, offset, value: String(value) });
      due.set(partition, offset + 1);
    }
    const offsets = [...due].map(([partition, offset]) => ({ topic: topic!, partition, offset }));
    if (offsets.length === 0) continue;
    tell({ event: 'committing', offsets: [...due] });
    await consumer.commit(offsets);
    tell({ event: 'committed', offsets: offsets.map(({ partition, offset }) => [partition, offset]) });
    for (const { partition, offset } of offsets) if (due.get(partition) === offset) due.delete(partition);
  } catch (error) {
    tell({ event: 'trouble', message: (error as Error).message });
  }
}
await consumer.close();
