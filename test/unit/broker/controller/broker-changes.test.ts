import { expect, test } from 'vitest';
import { compareBrokers } from '../../../../broker/controller/broker-changes.ts';
import type { RegisteredBroker } from '../../../../shared/zookeeper/store.ts';

function broker(id: number, epoch: bigint): RegisteredBroker {
  return { id, epoch, registration: { id, endpoints: [], rack: null, jmxPort: -1, timestampMs: 0 } };
}

test('who came, who went, and who was away so shortly that only the epoch shows it', () => {
  const known = [broker(1, 10n), broker(2, 11n), broker(3, 12n), broker(4, 13n)];
  const registered = [broker(2, 11n), broker(3, 20n), broker(4, 9n), broker(5, 21n)];
  const { added, bounced, dead } = compareBrokers(known, registered);
  expect(added.map(b => b.id)).toEqual([5]);
  expect(bounced.map(b => b.id)).toEqual([3]);
  expect(dead.map(b => b.id)).toEqual([1]);
});
