import { expect, test } from 'vitest';
import { toolLogger } from '../../../../admin-cli/support/logger.ts';

test('warnings and worse are shown, with their cause, the same one not again and again', () => {
  const lines: string[] = [];
  const logger = toolLogger(line => lines.push(line));
  logger.info('not shown');
  logger.warn({ err: new Error('refused') }, 'no broker can be reached');
  logger.warn({ err: new Error('refused') }, 'no broker can be reached');
  logger.error('gone');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] WARN no broker can be reached: refused\n$/);
  expect(lines[1]).toMatch(/ERROR gone\n$/);
});
