import type { Socket } from 'node:net';
import type { PipelinedRequest } from './request-pipeline.ts';

/** Answers up to this size altogether are copied into one buffer: cheaper than handing the kernel many small pieces. */
const COALESCE_MAX_BYTES = 16 * 1024;

/**
 * Writes the answers as one write. The requests' memory goes back when the kernel has taken the bytes, for an answer
 * may hold views of it.
 */
export function writeAnswers(socket: Socket, requests: readonly PipelinedRequest[], written: () => void): void {
  const chunks = requests.flatMap(request => request.answer ?? []);
  const release = () => {
    for (const request of requests) request.release();
    written();
  };
  if (chunks.length === 0) release();
  else writeChunks(socket, chunks, release);
}

function writeChunks(socket: Socket, chunks: readonly Buffer[], written: () => void): void {
  const last = chunks.length - 1;
  if (last === 0) {
    socket.write(chunks[0]!, written);
  } else if (byteLength(chunks) <= COALESCE_MAX_BYTES) {
    socket.write(Buffer.concat(chunks), written);
  } else {
    socket.cork();
    for (let i = 0; i < last; i++) socket.write(chunks[i]!);
    socket.write(chunks[last]!, written);
    socket.uncork();
  }
}

/** Bytes of all chunks together. */
export function byteLength(chunks: readonly Buffer[]): number {
  let total = 0;
  for (const chunk of chunks) total += chunk.length;
  return total;
}
