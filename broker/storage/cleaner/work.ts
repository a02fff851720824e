import { RecordsError } from '../../../shared/records/errors.ts';
import type { FileSystem } from '../../../shared/runtime/file-system.ts';
import { type EntryVisitor, scanSteps } from '../segment-scan.ts';

/**
 * Work that blocks, in small steps: each yield tells how many bytes were read or written since the last one. Whoever
 * drives it pauses as `log.cleaner.io.max.bytes.per.second` wants it, or gives up, which `return` makes it clean up for.
 */
export type Work<T> = Generator<number, T, void>;

/** A segment's `.log` file. */
export interface SourceFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Walks over the entries of a segment that is not written to any more, until the visitor stops it.
 * @throws RecordsError CORRUPT when something else lies between them; the file system's error
 */
export function* walk(fs: FileSystem, file: SourceFile, chunk: number, visit: EntryVisitor): Work<void> {
  const handle = fs.open(file.path, 'r');
  let verdict: 'go on' | 'stop' = 'go on';
  const note: EntryVisitor = (buffer, at, position) => (verdict = visit(buffer, at, position));
  try {
    const scan = scanSteps({ from: 0, to: file.size, whole: true, chunk }, note);
    let step = scan.next();
    while (!step.done) {
      const { target, offset, length, position } = step.value;
      const count = handle.readSync(target, offset, length, position);
      yield count;
      step = scan.next(count);
    }
    if (step.value < file.size && (verdict as string) === 'go on') {
      throw new RecordsError('CORRUPT', `There is no record batch at byte ${step.value} of ${file.path}.`);
    }
  } finally {
    handle.closeSync();
  }
}
