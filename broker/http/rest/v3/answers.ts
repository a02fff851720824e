import { ref, type Schema } from '../../openapi/schema.ts';
import type { Answer, Content } from '../../route.ts';

/** Answers and bodies as the rows under /v3 describe them: all JSON. */

export function json(schema: Schema, example?: unknown): Readonly<Record<string, Content>> {
  return { 'application/json': example === undefined ? { schema } : { schema, example } };
}

export function shows(name: string, description: string): Readonly<Record<number, Answer>> {
  return { 200: { description, content: json(ref(name)) } };
}

export const NO_CONTENT: Readonly<Record<number, Answer>> = { 204: { description: 'Done.' } };
