import type { FileSystem } from '../../shared/runtime/file-system.ts';
import type { LogDirectory } from './log-directory.ts';
import type { PartitionLog } from './partition-log.ts';

/** A log directory as DescribeLogDirs tells of it. Sizes in bytes. */
export interface DirectoryDescription {
  readonly path: string;
  readonly isOffline: boolean;
  readonly logs: readonly PartitionLog[];
  /** Of the volume that holds the directory; -1 = not known. */
  readonly totalBytes: number;
  readonly usableBytes: number;
}

/** Describes log directories; whether one still works is not tried, only whether it has failed. */
export function describeDirectories(
  directories: readonly LogDirectory[],
  fs: FileSystem,
): Promise<DirectoryDescription[]> {
  return Promise.all(
    directories.map(async directory => {
      const { path } = directory;
      if (directory.failure !== null) return { path, isOffline: true, logs: [], totalBytes: -1, usableBytes: -1 };
      const space = await fs.space(path).catch(() => ({ totalBytes: -1, usableBytes: -1 }));
      return { path, isOffline: false, logs: [...directory.logs.values()], ...space };
    }),
  );
}
