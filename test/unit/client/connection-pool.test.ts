import { expect, test } from 'vitest';
import { ConnectionPool } from '../../../client/cluster/connection-pool.ts';
import { ConnectionError } from '../../../shared/connection/connection.ts';
import { silentLogger } from '../../../shared/runtime/logger.ts';
import { ManualTime } from '../../support/manual-time.ts';
import { seededRandom } from '../../support/seeded-random.ts';

test('who asks for a peer that could not be reached a moment ago hears why', async () => {
  const time = new ManualTime();
  let tries = 0;
  const pool = new ConnectionPool(
    {
      connect: () => {
        tries++;
        return Promise.reject(new ConnectionError('REFUSED', 'the TLS handshake with b:1 failed'));
      },
    },
    { ...time, random: seededRandom(1), logger: silentLogger },
    { reconnectBackoffMs: 50, reconnectBackoffMaxMs: 1000 },
  );
  const address = { host: 'b', port: 1 };
  await expect(pool.get(address)).rejects.toThrow('the TLS handshake with b:1 failed');
  await expect(pool.get(address)).rejects.toThrow(
    'b:1 could not be reached a moment ago: the TLS handshake with b:1 failed',
  );
  expect(tries).toBe(1);
  await time.advance(100);
  await expect(pool.get(address)).rejects.toThrow('the TLS handshake with b:1 failed');
  expect(tries).toBe(2);
});
