import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/**
 * Answers with pieces as they come. The first is awaited: what is wrong with the request is still answered with a status.
 * @param empty what is thrown when there is not one
 */
export async function streamed(
  reply: FastifyReply,
  pieces: AsyncGenerator<string>,
  empty?: () => Error,
): Promise<FastifyReply> {
  const first = await pieces.next();
  if (first.done === true && empty !== undefined) throw empty();
  const all = (async function* () {
    if (first.done !== true) yield first.value;
    yield* pieces;
  })();
  return reply.send(Readable.from(all));
}
