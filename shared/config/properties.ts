import { Properties, PropertiesNodeType } from 'properties-file/parser';
import { ConfigError } from './config-error.ts';

/** One setting of a .properties file: its text as Java's `Properties` reads it, and the line it starts on (from 1). */
export interface PropertyLine {
  readonly value: string;
  readonly line: number;
}

/**
 * Reads a .properties text by the rules of Java's `Properties.load`: comments, three separators, continuation lines,
 * escapes; a later line of the same key wins; blanks at the end of a value stay.
 * @param file names the text in error messages
 * @throws ConfigError for a malformed `\u` escape, as Java does
 */
export function readProperties(text: string, file: string): Map<string, PropertyLine> {
  const lines = new Map<string, PropertyLine>();
  for (const node of parse(text, file)) {
    if (node.type !== PropertiesNodeType.PROPERTY) continue;
    lines.set(node.key, { value: node.value, line: node.startingLineNumber });
  }
  return lines;
}

function parse(text: string, file: string): Properties['nodes'] {
  try {
    return new Properties(text).nodes;
  } catch (error) {
    throw new ConfigError('', `${file} is not a readable .properties file: ${(error as Error).message}`);
  }
}
