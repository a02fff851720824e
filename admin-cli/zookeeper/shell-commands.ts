import zookeeper, { type Event } from 'node-zookeeper-client';
import { aclLines, statLines } from '../format/znode.ts';
import type { ShellCommand } from './command-line.ts';
import type { ShellSession, WireError } from './shell-session.ts';

/** What a command prints. Lines go out as they come: a watch may speak later. */
export type Print = (line: string) => void;

/** A command that cannot be carried out: one sentence for the user. */
export class ShellError extends Error {
  override readonly name = 'ShellError';
}

interface Call {
  readonly session: ShellSession;
  readonly command: ShellCommand;
  readonly path: string;
  readonly print: Print;
}

interface Row {
  readonly usage: string;
  readonly run: (call: Call) => Promise<void>;
}

/** ZooKeeper's error codes that have a text of their own on its command line. */
const ERROR_TEXTS: Readonly<Record<number, (path: string) => string>> = {
  [-101]: path => `Node does not exist: ${path}`,
  [-102]: path => `Insufficient permission : ${path}`,
  [-103]: path => `version No is not valid : ${path}`,
  [-108]: path => `Ephemerals cannot have children: ${path}`,
  [-110]: path => `Node already exists: ${path}`,
  [-111]: path => `Node not empty: ${path}`,
};

/** The commands of ZooKeeper's command line that are here. */
const COMMANDS: Readonly<Record<string, Row>> = {
  get: { usage: 'get [-s] [-w] path', run: get },
  ls: { usage: 'ls [-s] [-w] [-R] path', run: ls },
  create: { usage: 'create [-s] [-e] path [data]', run: create },
  set: { usage: 'set [-s] [-v version] path data', run: set },
  delete: { usage: 'delete [-v version] path', run: remove },
  deleteall: { usage: 'deleteall path', run: removeAll },
  rmr: { usage: 'rmr path', run: removeAll },
  stat: { usage: 'stat [-w] path', run: stat },
  getAcl: { usage: 'getAcl [-s] path', run: getAcl },
};

export function usageLines(): string[] {
  return [...Object.values(COMMANDS).map(({ usage }) => `\t${usage}`), '\tquit'];
}

/** Carries a command out. @throws ShellError when it cannot be */
export async function runCommand(session: ShellSession, command: ShellCommand, print: Print): Promise<void> {
  const row = Object.hasOwn(COMMANDS, command.name) ? COMMANDS[command.name] : undefined;
  if (row === undefined) throw new ShellError(`Command not found: ${command.name}\n${usageLines().join('\n')}`);
  const path = command.operands[0];
  if (path === undefined || Number.isNaN(command.version)) throw new ShellError(row.usage);
  if (!path.startsWith('/')) throw new ShellError(`Path must start with / character: ${path}`);
  const trimmed = path.length > 1 ? path.replace(/\/+$/, '') : path;
  try {
    await row.run({ session, command, path: trimmed, print });
  } catch (error) {
    const { code, message } = error as WireError;
    if (error instanceof ShellError) throw error;
    throw new ShellError((code === undefined ? undefined : ERROR_TEXTS[code]?.(trimmed)) ?? message, { cause: error });
  }
}

/** With `-w`: says when what was read changes. */
function watcher({ command, print }: Call): ((event: Event) => void) | undefined {
  if (!command.flags.has('w')) return undefined;
  const types: Readonly<Record<number, string>> = {
    1: 'NodeCreated',
    2: 'NodeDeleted',
    3: 'NodeDataChanged',
    4: 'NodeChildrenChanged',
  };
  return event => watcherLines(types[event.type] ?? event.name, event.path).forEach(print);
}

/** A notice as ZooKeeper's command line prints it. */
export function watcherLines(type: string, path: string | null): string[] {
  return ['', 'WATCHER::', '', `WatchedEvent state:SyncConnected type:${type} path:${path ?? 'null'}`];
}

async function get(call: Call): Promise<void> {
  const { data, stat: found } = await call.session.getData(call.path, watcher(call));
  call.print(data === undefined ? 'null' : data.toString());
  if (call.command.flags.has('s')) statLines(found).forEach(call.print);
}

async function ls(call: Call): Promise<void> {
  const { names, stat: found } = await call.session.getChildren(call.path, watcher(call));
  if (call.command.flags.has('R')) return listBelow(call, call.path, names);
  call.print(`[${names.join(', ')}]`);
  if (call.command.flags.has('s')) statLines(found).forEach(call.print);
}

async function listBelow(call: Call, path: string, names: readonly string[]): Promise<void> {
  call.print(path);
  for (const name of names) {
    const child = path === '/' ? `/${name}` : `${path}/${name}`;
    await listBelow(call, child, (await call.session.getChildren(child)).names);
  }
}

async function create({ session, command, path, print }: Call): Promise<void> {
  const { PERSISTENT, EPHEMERAL, PERSISTENT_SEQUENTIAL, EPHEMERAL_SEQUENTIAL } = zookeeper.CreateMode;
  const [persistent, ephemeral] = command.flags.has('s')
    ? [PERSISTENT_SEQUENTIAL, EPHEMERAL_SEQUENTIAL]
    : [PERSISTENT, EPHEMERAL];
  const [, data] = command.operands;
  const mode = command.flags.has('e') ? ephemeral : persistent;
  print(`Created ${await session.create(path, data === undefined ? undefined : Buffer.from(data), mode)}`);
}

async function set({ session, command, path, print }: Call): Promise<void> {
  const [, data] = command.operands;
  if (data === undefined) throw new ShellError(COMMANDS.set!.usage);
  const found = await session.setData(path, Buffer.from(data), command.version);
  if (command.flags.has('s')) statLines(found).forEach(print);
}

function remove({ session, command, path }: Call): Promise<void> {
  return session.remove(path, command.version);
}

async function removeAll({ session, path }: Call): Promise<void> {
  for (const name of (await session.getChildren(path)).names) {
    await removeAll({ session, path: path === '/' ? `/${name}` : `${path}/${name}` } as Call);
  }
  await session.remove(path, -1);
}

async function stat(call: Call): Promise<void> {
  const found = await call.session.exists(call.path, watcher(call));
  if (found === null) throw new ShellError(ERROR_TEXTS[-101]!(call.path));
  statLines(found).forEach(call.print);
}

async function getAcl({ session, command, path, print }: Call): Promise<void> {
  aclLines(await session.getAcl(path)).forEach(print);
  const found = command.flags.has('s') ? await session.exists(path) : null;
  if (found !== null) statLines(found).forEach(print);
}
