import { UsageError } from './tool.ts';

/** A `--topic` pattern: a regular expression for the full name, where a comma stands for "or". @throws UsageError */
export function topicPattern(pattern: string): (name: string) => boolean {
  const expression = topicExpression(pattern);
  return name => expression.test(name);
}

/** The same as an expression. @throws UsageError */
export function topicExpression(pattern: string): RegExp {
  const source = pattern
    .trim()
    .replaceAll(',', '|')
    .replaceAll(' ', '')
    .replace(/^["']+|["']+$/g, '');
  try {
    return new RegExp(`^(?:${source})$`);
  } catch (error) {
    throw new UsageError(`${pattern} is an invalid regex: ${(error as Error).message}`);
  }
}
