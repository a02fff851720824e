import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Shared libraries of the machine that the files are linked with, as ldd names them. */
export function librariesOf(files: readonly string[], isThere: (path: string) => boolean = () => false): Set<string> {
  const found = new Set<string>();
  for (const file of files) {
    const lines = execFileSync('ldd', [file]).toString().split('\n');
    for (const line of lines) {
      const path = /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1];
      if (path !== undefined && !files.includes(path) && !isThere(path)) found.add(path);
    }
  }
  return found;
}

/** Copies a file, or a directory with what is below, to the same place in the image's root. */
export function copyInto(root: string, path: string): void {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  cpSync(realpathSync(path), join(root, path), { recursive: true, dereference: true });
}
