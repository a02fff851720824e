import { createInterface } from 'node:readline';
import type { Commands } from '../matrix/foreign-client.ts';

/** What a driver can do; it need not have the commands of features that its client lacks. */
export type Handlers = {
  readonly [C in keyof Commands]?: (request: Commands[C][0]) => Promise<Commands[C][1]>;
};

/** Answers commands from the standard input one after the other, until it ends. */
export async function answerLines(handlers: Handlers): Promise<never> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, command, ...request } = JSON.parse(line) as { id: number; command: keyof Commands };
    process.stdout.write(`${JSON.stringify({ id, ...(await answer(handlers, command, request)) })}\n`);
  }
  process.exit(0);
}

async function answer(handlers: Handlers, command: keyof Commands, request: object): Promise<object> {
  try {
    return await handlers[command]!(request as never);
  } catch (error) {
    return { error: reasons(error).join(': ') };
  }
}

/** A client's error with those that it wraps. */
function reasons(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const inner = error instanceof AggregateError ? (error.errors as unknown[]) : [error.cause];
  return [error.message, ...inner.filter(cause => cause !== undefined).flatMap(reasons)];
}
