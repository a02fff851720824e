import { readFileSync } from 'node:fs';
import { ToolFailure } from './tool.ts';

/** Reads a file that a tool was given. @throws ToolFailure naming the file and what is wrong with it */
export function readJsonFile<T>(file: string, parse: (text: string) => T): T {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ToolFailure(`Cannot use ${file}: ${(error as Error).message}`);
  }
}
