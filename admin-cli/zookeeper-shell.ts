import { createInterface } from 'node:readline/promises';
import { VERSION } from '../shared/version.ts';
import { runTool, toolCommand, ToolFailure } from './support/tool.ts';
import { parseCommand, splitWords } from './zookeeper/command-line.ts';
import { runCommand, ShellError, usageLines, watcherLines } from './zookeeper/shell-commands.ts';
import { ShellSession } from './zookeeper/shell-session.ts';

const CONNECTION_TIMEOUT_MS = 15_000;
const USAGE = 'USAGE: zookeeper-shell zookeeper_host:port[/path] [-zk-tls-config-file file] [args...]';

const command = toolCommand('zookeeper-shell', 'Looks into ZooKeeper.');

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(argv: string[]): Promise<void> {
  const [server, ...words] = argv;
  if (server === undefined || server === '--help') throw new ToolFailure(USAGE, 'stdout');
  if (server === '--version') {
    print(VERSION);
    return;
  }
  if (words[0] === '-zk-tls-config-file') throw new ToolFailure('TLS connections to ZooKeeper are not supported yet.');
  print(`Connecting to ${server}`);
  const session = await ShellSession.connect(server, CONNECTION_TIMEOUT_MS);
  try {
    if (words.length === 0) await interact(session, server);
    else await once(session, words);
  } finally {
    session.close();
  }
}

/** A command from the arguments, given as words or as one. */
async function once(session: ShellSession, words: readonly string[]): Promise<void> {
  watcherLines('None', null).forEach(print);
  const [only] = words;
  try {
    await runCommand(session, parseCommand(words.length === 1 ? splitWords(only!) : words), print);
  } catch (error) {
    if (error instanceof ShellError) throw new ToolFailure(error.message);
    throw error;
  }
}

/** Commands from the standard input, one a line, until its end or `quit`. A failed one does not end it. */
async function interact(session: ShellSession, server: string): Promise<void> {
  print('Welcome to ZooKeeper!');
  watcherLines('None', null).forEach(print);
  const isTerminal = process.stdin.isTTY;
  const lines = createInterface({ input: process.stdin, ...(isTerminal ? { output: process.stdout } : {}) });
  let count = 0;
  const prompt = () => {
    lines.setPrompt(`[zk: ${server}(CONNECTED) ${count++}] `);
    if (isTerminal) lines.prompt();
  };
  prompt();
  for await (const line of lines) {
    const words = splitWords(line);
    if (words[0] === 'quit' || words[0] === 'close') break;
    if (words[0] === 'help') usageLines().forEach(print);
    else if (words.length > 0) await tryCommand(session, words);
    prompt();
  }
  lines.close();
}

async function tryCommand(session: ShellSession, words: readonly string[]): Promise<void> {
  try {
    await runCommand(session, parseCommand(words), print);
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    process.stderr.write(`${error.message}\n`);
  }
}

await runTool(command, main);
