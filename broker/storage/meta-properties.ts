import { readProperties } from '../../shared/config/properties.ts';
import type { FileSystem } from '../../shared/runtime/file-system.ts';
import { StorageStartupError } from './errors.ts';

const FILE = 'meta.properties';

/** Whom a log directory belongs to: the content of `meta.properties`, version 0 (ZooKeeper mode). */
export interface MetaProperties {
  /** null in a file that does not say. */
  readonly brokerId: number | null;
  readonly clusterId: string | null;
}

/**
 * Reads a log directory's `meta.properties`; null when there is none.
 * @throws StorageStartupError when it is malformed or of another version (a KRaft directory)
 */
export function readMetaProperties(fs: FileSystem, directory: string): MetaProperties | null {
  const path = `${directory}/${FILE}`;
  if (!fs.exists(path)) return null;
  const lines = readProperties(fs.readFile(path).toString('utf8'), path);
  const value = (key: string) => lines.get(key)?.value.trim() ?? null;
  const version = value('version') ?? '0';
  if (version !== '0') {
    throw new StorageStartupError(`${path} has version ${version}; a broker that uses ZooKeeper needs version 0.`);
  }
  const brokerId = value('broker.id');
  if (brokerId !== null && !/^-?\d+$/.test(brokerId)) {
    throw new StorageStartupError(`${path} says broker.id=${brokerId}, which is not a number.`);
  }
  return { brokerId: brokerId === null ? null : Number(brokerId), clusterId: value('cluster.id') };
}

/**
 * Makes sure that a log directory belongs to this broker of this cluster, and says so in a directory that says nothing.
 * @throws StorageStartupError when it belongs to another broker or cluster
 */
export function claimDirectory(fs: FileSystem, directory: string, brokerId: number, clusterId: string): void {
  const found = readMetaProperties(fs, directory);
  if (found === null) {
    const text = `#\nbroker.id=${brokerId}\ncluster.id=${clusterId}\nversion=0\n`;
    fs.replaceFile(`${directory}/${FILE}`, text);
    return;
  }
  if (found.clusterId !== null && found.clusterId !== clusterId) {
    throw new StorageStartupError(
      `${directory}/${FILE} belongs to cluster ${found.clusterId}, but this broker is in cluster ${clusterId}; ` +
        'it may be connected to the wrong ZooKeeper or use a foreign log directory.',
    );
  }
  if (found.brokerId !== null && found.brokerId !== brokerId) {
    throw new StorageStartupError(
      `${directory}/${FILE} belongs to broker ${found.brokerId}, but this broker's id is ${brokerId}.`,
    );
  }
}
