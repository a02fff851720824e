import { UsageError } from './tool.ts';

/** A `--topic` pattern: a regular expression for the full name, where a comma stands for "or". @throws UsageError */
export function topicPattern(pattern: string): (name: string) => boolean {
  const source = pattern
    .trim()
    .replaceAll(',', '|')
    .replaceAll(' ', '')
    .replace(/^["']+|["']+$/g, '');
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${source})$`);
  } catch (error) {
    throw new UsageError(`${pattern} is an invalid regex: ${(error as Error).message}`);
  }
  return name => expression.test(name);
}
