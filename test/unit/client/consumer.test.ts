import { expect, test } from 'vitest';
import { createConsumer } from '../../../client/index.ts';
import { ConnectionError } from '../../../shared/connection/connection.ts';
import { ListOffsets } from '../../../shared/protocol/messages/list-offsets.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';

test('a look-up that a close breaks off is not tried again', async () => {
  const cluster = new ScriptedCluster();
  let breakOff!: () => void;
  const asked = new Promise<void>(resolve =>
    cluster.on(ListOffsets, () => {
      resolve();
      return new Promise((_, reject) => (breakOff = () => reject(new ConnectionError('CLOSED', 'it broke'))));
    }),
  );
  const lines: string[] = [];
  const log = (fields: object, text: string) => void lines.push(text);
  const logger = { debug: log, info: log, warn: log, error: log };
  const reader = createConsumer(
    { 'bootstrap.servers': 'b:1', 'retry.backoff.ms': 1 },
    { connector: cluster, runtime: { logger } as never },
  );
  const found = reader.endOffsets([{ topic: 't', partition: 0 }]);
  await asked;
  await reader.close();
  breakOff();
  await expect(found).rejects.toThrow('this client is closed');
  expect(lines).toEqual([]);
});
