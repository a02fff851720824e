import { expect, test } from 'vitest';
import { MIX } from '../fuzz/conversations.ts';
import { runFuzz } from '../fuzz/run.ts';

const INPUTS = 10_000;

/** A slice of `npm run test:fuzz`, against a real broker with a TLS listener. */
test(`${INPUTS} grammar-based inputs harm neither the broker nor a neighbour`, async () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 0x7fffffff);
  console.log(`FUZZ_SEED=${seed}`);
  const { problems, neighbourAnswers } = await runFuzz({
    inputs: INPUTS,
    seed,
    first: 0,
    dialects: MIX,
    print: line => console.log(line),
  });
  expect(problems).toEqual([]);
  expect(neighbourAnswers).toBeGreaterThan(100);
});
