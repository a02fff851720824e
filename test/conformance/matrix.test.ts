import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { CLIENTS } from './matrix/clients.ts';
import { EXAMINATIONS } from './matrix/examinations.ts';
import type { FeatureId } from './matrix/features.ts';
import type { ForeignClient } from './matrix/foreign-client.ts';
import { offered, writeResults, type ClientResult } from './matrix/results.ts';
import { Stage } from './matrix/stage.ts';

/**
 * Every client of docs/COMPATIBILITY.md with every feature that it offers, against three brokers over the Kafka protocol.
 * `npm run docs:compatibility` has the results written down, and the page made from them.
 */

let stage: Stage;
const results: Record<string, ClientResult> = {};

beforeAll(async () => {
  stage = await Stage.open();
});

afterAll(async () => {
  await stage.close();
  if (process.env.COMPATIBILITY === 'write') writeResults(results);
});

describe.each(CLIENTS)('$name ($language)', row => {
  if (row.absence !== undefined && existsSync(row.absence)) {
    test.skip(`is not here: its registry was out of reach (${row.absence})`, () => {});
    return;
  }
  let client: ForeignClient | null = null;
  let version = '';
  const features: Partial<Record<FeatureId, 'works' | 'fails'>> = {};

  afterAll(() => {
    client?.close();
    results[row.name] = { version, features };
  });

  test.each(offered(row))('%s', async id => {
    features[id] = 'fails';
    try {
      if (client === null) ({ client, version } = await stage.connect(row));
      await EXAMINATIONS[id]({ stage, row, client });
      features[id] = 'works';
    } catch (error) {
      // It may hang: the next feature gets another.
      client?.close();
      client = null;
      throw error;
    }
  });
});
