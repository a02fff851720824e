import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { constants, type IncomingHttpHeaders as Http2Headers, type ServerHttp2Stream } from 'node:http2';
import type { Readable } from 'node:stream';
import { endHttp2 } from '../../shared/connection/http2-ending.ts';
import { RPC_PATH } from '../../shared/connection/rpc.ts';
import type { ConnectionContext } from '../request/context.ts';

/** Where the answer to an RPC goes. After `send` or `reset` nothing else may be called. */
export interface RpcReply {
  /**
   * @param bytes of all chunks together
   * @param sent called once when nobody reads the chunks any more; perhaps never, if the answer is broken off. That the
   *   call is closed says less: an HTTP/2 stream is over when its last frame is queued, and is written after that.
   *   Null: nobody waits for it
   */
  send(
    status: number,
    contentType: string | null,
    chunks: readonly Buffer[],
    bytes: number,
    sent: (() => void) | null,
  ): void;
  /** Breaks off without an answer: that stream only, or the whole connection where it carries nothing else. */
  reset(): void;
}

/**
 * An RPC as it came in, over either HTTP version. It does not pass through the router: one prefix decides, and on a hot
 * path the second stream that Node puts over an HTTP/2 stream for the sake of compatibility costs more than the request.
 */
export interface RpcCall {
  readonly apiName: string;
  /** The query's version as it was given; null when it was not. */
  readonly version: string | null;
  readonly headers: IncomingHttpHeaders;
  readonly connection: ConnectionContext;
  readonly body: Readable;
  readonly reply: RpcReply;
  /** Calls back once when nothing goes over the call any more, in either direction. */
  onClose(listener: () => void): void;
}

/** Whether the request is an RPC: `POST /v1/rpc/<ApiName>`. */
export function isRpc(method: string | undefined, path: string | undefined): boolean {
  return method === 'POST' && path !== undefined && path.startsWith(RPC_PATH);
}

/** Splits `/v1/rpc/<ApiName>?version=<n>`. */
function parsePath(path: string): { apiName: string; version: string | null } {
  const query = path.indexOf('?');
  if (query < 0) return { apiName: path.slice(RPC_PATH.length), version: null };
  const version = new URLSearchParams(path.slice(query)).get('version');
  return { apiName: path.slice(RPC_PATH.length, query), version };
}

export function http1Call(request: IncomingMessage, response: ServerResponse, connection: ConnectionContext): RpcCall {
  return {
    ...parsePath(request.url!),
    headers: request.headers,
    connection,
    body: request,
    reply: http1Reply(response),
    onClose: listener => whenOver(request.socket, response, listener),
  };
}

/** What is to be told of the end of a connection: a set, because a connection may carry many calls one after the other. */
const onConnectionEnd = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls back once when the response has been sent, or the connection is gone. A response that is ended while an earlier
 * one of its connection is still being waited for (pipelining) never hears of the latter from Node.
 */
function whenOver(socket: Socket, response: ServerResponse, listener: () => void): void {
  let calls = onConnectionEnd.get(socket);
  if (calls === undefined) {
    const opened = new Set<() => void>();
    calls = opened;
    onConnectionEnd.set(socket, opened);
    socket.once('close', () => opened.forEach(over => over()));
  }
  const all = calls;
  const over = () => {
    if (all.delete(over)) listener();
  };
  all.add(over);
  response.once('close', over);
}

function http1Reply(response: ServerResponse): RpcReply {
  return {
    send(status, contentType, chunks, bytes, sent) {
      const type = contentType === null ? {} : { 'content-type': contentType, 'content-length': bytes };
      response.writeHead(status, type);
      response.cork();
      for (const chunk of chunks) response.write(chunk);
      response.end(sent ?? undefined);
      response.uncork();
    },
    reset: () => response.destroy(),
  };
}

export function http2Call(stream: ServerHttp2Stream, headers: Http2Headers, connection: ConnectionContext): RpcCall {
  return {
    ...parsePath(headers[':path']!),
    headers,
    connection,
    body: stream,
    reply: http2Reply(stream),
    onClose: listener => stream.once('close', listener),
  };
}

function http2Reply(stream: ServerHttp2Stream): RpcReply {
  return {
    send(status, contentType, chunks, bytes, sent) {
      if (stream.destroyed || stream.closed) return;
      const type = contentType === null ? {} : { 'content-type': contentType, 'content-length': bytes };
      stream.respond({ ':status': status, ...type }, { endStream: chunks.length === 0 });
      if (chunks.length > 0) writeAll(stream, chunks, sent);
      // An answer that comes before the end of the request makes the rest of it pointless (RFC 9113, 8.1).
      if (!stream.readableEnded) stream.once('finish', () => endHttp2(() => stream.close(constants.NGHTTP2_NO_ERROR)));
    },
    reset: () => endHttp2(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR)),
  };
}

/**
 * A write's callback comes when the session's socket has taken its bytes, unless the stream is over before: from Node 26 on
 * it then comes at once, with the bytes still to be written. So the stream whose bytes somebody wants back is ended only
 * after they have gone; and if it has been reset meanwhile, they are left to the garbage collector, which knows better.
 */
function writeAll(stream: ServerHttp2Stream, chunks: readonly Buffer[], sent: (() => void) | null): void {
  const last = chunks.length - 1;
  stream.cork();
  for (let i = 0; i < last; i++) stream.write(chunks[i]!);
  if (sent === null) stream.end(chunks[last]!);
  else {
    stream.write(chunks[last]!, () => {
      if (stream.destroyed) return;
      sent();
      stream.end();
    });
  }
  stream.uncork();
}
