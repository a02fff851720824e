import { hasCollisionChars } from '../../shared/topics/names.ts';

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What is said before a topic with such a name is created; null for other names. */
export function collisionWarning(topic: string): string | null {
  if (!hasCollisionChars(topic)) return null;
  return "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid issues it is best to use either, but not both.";
}
