import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PLANTED_BUGS } from './planted-bugs.ts';

const SEEDS = 200;

interface Outcome {
  readonly status: number;
  readonly output: string;
}

/** `npm run test:sim -- …`, giving way to the tests that go by the clock. */
async function simulate(...options: string[]): Promise<Outcome> {
  const command = ['-n', '10', process.execPath, join(import.meta.dirname, 'main.ts'), ...options];
  try {
    const { stdout } = await promisify(execFile)('nice', command);
    return { status: 0, output: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { status: code, output: stdout };
  }
}

describe('the simulation', () => {
  it(`keeps all promises through ${SEEDS} seeds`, async () => {
    const { status, output } = await simulate('--seeds', String(SEEDS));
    expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining(`${SEEDS} seeds, 0 failed`) });
  });

  it('lives through a seed twice in the same way', async () => {
    const [first, second] = await Promise.all([simulate('--seed', '7'), simulate('--seed', '7')]);
    expect(first.output).toMatch(/trace [0-9a-f]{16}/);
    expect(second).toEqual(first);
  });

  it.each(Object.entries(PLANTED_BUGS))('finds a planted bug, %s', async (name, { foundBy }) => {
    const wrong = await simulate('--bug', name, ...foundBy, '--until-found');
    const found = /^seed (\d+) breaks a promise/m.exec(wrong.output);
    expect(found, wrong.output).not.toBeNull();
    expect(wrong.status).toBe(1);
    // Without the bug that very seed is a good one: it is the bug that was found.
    const conditions = foundBy.slice(foundBy.indexOf('--seeds') + 2);
    expect(await simulate('--seed', found![1]!, ...conditions)).toMatchObject({ status: 0 });
  });
});
