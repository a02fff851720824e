import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

const ROOT = join(import.meta.dirname, '../..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The commands of the bash blocks below a heading, comments left out. */
function commandsBelow(heading: string): string[] {
  const section = README.split(/^## /m).find(part => part.startsWith(heading))!;
  return [...section.matchAll(/```bash\n(.*?)```/gs)].flatMap(([, block]) =>
    block!
      .split('\n')
      .map(line => line.replace(/\s+#\s.*$/, '').trim())
      .filter(line => line !== '' && !line.startsWith('#')),
  );
}

/** The tour makes this topic; the cluster's files outlive the test, which is to find the same the next time. */
async function removeTopic(): Promise<void> {
  const remove = 'bin/kafka-topics --bootstrap-server localhost:9092 --delete --if-exists --topic orders';
  const { code, stderr } = await run('bash', ['-c', `cd "${ROOT}"; ${remove}`], { timeoutMs: 30_000 });
  expect(code, stderr).toBe(0);
}

/** Streams go on until the reader leaves: here, after a moment. */
const isStream = (command: string) => command.includes('text/event-stream');

test('the quickstart runs, and every command of the README tour does what it says', async () => {
  const quickstart = spawn(join(ROOT, 'bin/quickstart'), [], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  quickstart.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  quickstart.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>(resolve => quickstart.once('exit', resolve));
  try {
    await waitFor(
      'the quickstart cluster',
      () => output.includes('The cluster is running') || quickstart.exitCode !== null,
      {
        timeoutMs: 120_000,
      },
    );
    expect(output, output).toContain('identical: all');
    await removeTopic();
    const outputs: string[] = [];
    for (const command of commandsBelow('Five minutes')) {
      const limited = isStream(command) ? `timeout 3 ${command} || [ $? = 124 ]` : command;
      const { code, stdout, stderr } = await run('bash', ['-c', `cd "${ROOT}"; ${limited}`], { timeoutMs: 30_000 });
      expect(`${command} -> ${code}\n${code === 0 ? '' : stderr}`).toBe(`${command} -> 0\n`);
      outputs.push(stdout);
    }
    const all = outputs.join('\n');
    expect(all).toContain('Created topic orders.');
    expect(all).toContain('PartitionCount: 3\tReplicationFactor: 3');
    expect(all).toContain('"value":"{\\"item\\":\\"tea\\",\\"n\\":2}"');
    expect(all).toMatch(/^hello$/m);
    expect(all).toMatch(/^from kafkajs$/m);
    expect(all).toMatch(/^readers +orders +\d +\d+ +\d+ +\d+ +- /m);
    expect(all).toMatch(/^readers +orders +0 +0 *$/m);
    expect(all).toContain('"endpoints":["PLAINTEXT://127.0.0.1:9092"]');
    await removeTopic();
  } finally {
    quickstart.kill('SIGINT');
    await exited;
  }
}, 240_000);
