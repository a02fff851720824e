import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../shared/protocol/json.ts';
import type { Message } from '../../shared/protocol/message.ts';
import { ALL_APIS } from './all-apis.ts';

const FILE = join(import.meta.dirname, '../fixtures/golden-bytes.jsonl');

/** A message as Apache Kafka's own codec encodes it. */
export interface GoldenBytes {
  readonly message: string;
  readonly version: number;
  readonly json: Json;
  readonly hex: string;
}

export function readGoldenBytes(): GoldenBytes[] {
  const lines = readFileSync(FILE, 'utf8').trimEnd().split('\n');
  return lines.map(line => JSON.parse(line) as GoldenBytes);
}

export function writeGoldenBytes(all: readonly GoldenBytes[]): void {
  writeFileSync(FILE, all.map(golden => `${JSON.stringify(golden)}\n`).join(''));
}

/** Every request and response in every version. */
export const MESSAGE_VERSIONS: readonly {
  readonly name: string;
  readonly message: Message;
  readonly version: number;
}[] = ALL_APIS.flatMap(({ request, response }) => [request, response]).flatMap(message =>
  Array.from({ length: message.versions.max - message.versions.min + 1 }, (_, i) => {
    const version = message.versions.min + i;
    return { name: `${message.name} v${version}`, message, version };
  }),
);
