import { mkdirSync, mkdtempSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ZooKeeperProcess } from '../../test/support/zookeeper-process.ts';
import { JavaPeer } from './java-peer.ts';
import type { Workshop } from './load.ts';
import { NAMES, Side } from './side.ts';

/** Runs `use` with both clusters, `brokers` each, over one ZooKeeper; nothing is left of them afterwards. */
export async function withSides(
  brokers: number,
  volume: number,
  use: (sides: readonly [Side, Side], workshop: Workshop) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'samsa-versus-'));
  const zookeeper = await ZooKeeperProcess.start({ directory: join(directory, 'zookeeper') });
  const fixedRate = new JavaPeer('FixedRate.java');
  const groups = new JavaPeer('Groups.java');
  const transactions = new JavaPeer('Transactions.java');
  const sides: Side[] = [];
  try {
    for (const name of NAMES) sides.push(await Side.start(name, brokers, zookeeper, directory));
    await use([sides[0]!, sides[1]!], {
      fixedRate,
      groups,
      transactions,
      volume,
      linesOf: linesIn(join(directory, 'lines')),
    });
  } finally {
    fixedRate.stop();
    groups.stop();
    transactions.stop();
    for (const side of sides) await side.stop();
    await zookeeper.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Pieces of this size are written to a file at a time. */
const PIECE_BYTES = 1 << 20;

function linesIn(directory: string): Workshop['linesOf'] {
  mkdirSync(directory);
  return (recordBytes, records) => {
    const file = join(directory, `${records}x${recordBytes}`);
    if (!existsSync(file)) writeLines(file, recordBytes, records);
    return file;
  };
}

/** Lines of JSON that differ in part, of which lz4 leaves about half. */
function writeLines(file: string, recordBytes: number, records: number): void {
  const perPiece = Math.min(records, Math.floor(PIECE_BYTES / (recordBytes + 1)));
  const piece = Array.from({ length: perPiece }, (_, index) => lineOf(index, recordBytes)).join('');
  for (let written = 0; written < records; written += perPiece) {
    const lines = Math.min(perPiece, records - written);
    writeFileSync(file, piece.slice(0, lines * (recordBytes + 1)), { flag: 'a' });
  }
}

function lineOf(index: number, recordBytes: number): string {
  let line = `{"event":${index},"values":[`;
  for (let field = 0; line.length < recordBytes; field++) {
    line += `{"at":${(index * 7919 + field * 104_729) % 1_000_003},"level":"info"},`;
  }
  return `${line.slice(0, recordBytes)}\n`;
}
