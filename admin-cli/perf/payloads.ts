import { readFileSync } from 'node:fs';
import { ToolFailure } from '../support/tool.ts';

/** The value of record number `n`. */
export type Payloads = (n: number) => Buffer;

/** One random value of capital letters for all records, as Kafka's tool makes it. */
export function randomPayload(size: number, random: () => number = Math.random): Payloads {
  const payload = Buffer.from(Array.from({ length: size }, () => 65 + Math.floor(random() * 26)));
  return () => payload;
}

/** The record's number as text. */
export const monotonicPayloads: Payloads = n => Buffer.from(String(n));

/**
 * A random one of a file's pieces each time.
 * @param delimiter as Java's regular expressions have it; `\n` is the line's end
 * @throws ToolFailure if there is none
 */
export function payloadsFromFile(file: string, delimiter: string, random: () => number = Math.random): Payloads {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ToolFailure(`File does not exist or cannot be read: ${(error as Error).message}`);
  }
  const pieces = text.split(new RegExp(delimiter)).map(piece => Buffer.from(piece));
  while (pieces.at(-1)?.length === 0) pieces.pop();
  if (pieces.length === 0) throw new ToolFailure(`File ${file} is empty: it holds no payload.`);
  return () => pieces[Math.floor(random() * pieces.length)]!;
}
