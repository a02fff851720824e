import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realFileSystem as fs } from '../../../../shared/runtime/real-file-system.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-fs-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('files', () => {
  it('are written in gathered pieces and read at any position, with and without waiting', async () => {
    const handle = fs.open(join(directory, 'f'), 'w+');
    expect(handle.writevSync([Buffer.from('abc'), Buffer.from('def')], 0)).toBe(6);
    expect(await handle.writev([Buffer.from('XY'), Buffer.from('Z')], 4)).toBe(3);
    await handle.sync();
    const target = Buffer.alloc(10, '.');
    expect(handle.readSync(target, 1, 5, 2)).toBe(5);
    expect(target.toString()).toBe('.cdXYZ....');
    expect(await handle.read(target, 0, 10, 5)).toBe(2);
    expect(await handle.read(target, 0, 10, 7)).toBe(0);
    handle.truncateSync(3);
    handle.syncSync();
    expect(handle.sizeSync()).toBe(3);
    handle.closeSync();
    expect(fs.readFile(join(directory, 'f')).toString()).toBe('abc');
  });

  it('are replaced as a whole, renamed and removed', async () => {
    const path = join(directory, 'f');
    fs.replaceFile(path, 'one');
    fs.replaceFile(path, 'two');
    expect(fs.list(directory)).toEqual([{ name: 'f', isDirectory: false }]);
    fs.setModifiedTime(path, 1_700_000_000_123);
    expect(fs.stat(path)).toEqual({ size: 3, modifiedMs: 1_700_000_000_123 });
    fs.rename(path, `${path}2`);
    expect([fs.exists(path), fs.exists(`${path}2`)]).toEqual([false, true]);
    await fs.removeFile(`${path}2`);
    await fs.removeFile(`${path}2`);
    expect(fs.stat(`${path}2`)).toBeNull();
    expect(() => fs.open(path, 'r')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('lie in directories that are made and removed with all that is below', async () => {
    const deep = join(directory, 'a/b');
    fs.makeDirectory(deep);
    fs.makeDirectory(deep);
    fs.syncDirectory(deep);
    fs.writeFile(join(deep, 'f'), Buffer.from('x'));
    await fs.removeDirectory(join(directory, 'a'));
    await fs.removeDirectory(join(directory, 'a'));
    expect(fs.exists(deep)).toBe(false);
  });
});

/** Holds a lock as Kafka does, says `locked` or `busy`, and keeps it until its input ends. */
const JAVA_LOCK = `
import java.io.*; import java.nio.channels.*;
public class Lock {
  public static void main(String[] args) throws Exception {
    FileChannel channel = new RandomAccessFile(new File(args[0]), "rw").getChannel();
    System.out.println(channel.tryLock() == null ? "busy" : "locked");
    System.in.read();
  }
}`;
const hasJava = spawnSync('javac', ['-version']).status === 0;

async function firstLine(child: ChildProcess): Promise<string> {
  const [data] = (await once(child.stdout!, 'data')) as [Buffer];
  return data.toString().trim();
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.stdin!.end();
  await exit;
}

describe('the lock', () => {
  it('is held once, within this process too, until it is released', () => {
    const path = join(directory, '.lock');
    const lock = fs.lock(path);
    expect(lock).not.toBeNull();
    expect(fs.lock(path)).toBeNull();
    lock!.release();
    const again = fs.lock(path);
    expect(again).not.toBeNull();
    again!.release();
  });

  it('is free again when the process that held it was killed', async () => {
    const path = join(directory, '.lock');
    const module = new URL('../../../../shared/runtime/real-file-system.ts', import.meta.url).href;
    const program = `const { realFileSystem } = await import(${JSON.stringify(module)});
      const lock = realFileSystem.lock(${JSON.stringify(path)}); console.log(lock ? 'locked' : 'busy'); process.stdin.resume();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    expect(await firstLine(child)).toBe('locked');
    expect(fs.lock(path)).toBeNull();
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    const lock = fs.lock(path);
    expect(lock).not.toBeNull();
    lock!.release();
  });

  it.runIf(hasJava)('and that of Java exclude each other', async () => {
    const path = join(directory, '.lock');
    writeFileSync(join(directory, 'Lock.java'), JAVA_LOCK);
    spawnSync('javac', ['-d', directory, join(directory, 'Lock.java')]);
    const java = () => spawn('java', ['-cp', directory, 'Lock', path], { stdio: ['pipe', 'pipe', 'inherit'] });

    const holder = java();
    expect(await firstLine(holder)).toBe('locked');
    expect(fs.lock(path)).toBeNull();
    await ended(holder);

    const lock = fs.lock(path);
    expect(lock).not.toBeNull();
    const refused = java();
    expect(await firstLine(refused)).toBe('busy');
    await ended(refused);
    lock!.release();
  });
});
