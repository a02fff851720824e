import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Reads a socket's bytes into memory of its own choice. */
export interface ByteConsumer {
  /** The buffer for the next read. */
  target(): Buffer;
  /**
   * Takes the first `length` bytes of `buffer`; false pauses the socket until its `resume()`. TLS may have decrypted more
   * by then: what it has, up to the 64 KiB of one read, still comes.
   */
  consume(buffer: Buffer, length: number): boolean;
}

/** The parts of net.Socket that are not public, and without which there is no reading into own memory after accept. */
interface SocketInternals {
  _handle: { useUserBuffer?: (buffer: Buffer) => void } | null;
  _server?: object | null;
  server?: object | null;
}

/**
 * Takes a socket over from Node's stream reading (a fresh buffer per read) to reading into the consumer's memory.
 *
 * `onread` can be had only when a Socket is made, and the dialect is known only after the first bytes: so the accepted
 * socket's handle moves into a new Socket, along with its place in the server's connection count. A TLS socket cannot
 * part with its handle, so there the fields that `onread` would have set are set afterwards. Where Node has neither, the
 * old socket is read by 'data' events, with one copy more.
 *
 * @returns the socket to use from now on; it flows
 */
export function adoptSocket(accepted: Socket, consumer: ByteConsumer): Socket {
  const socket =
    (accepted instanceof TLSSocket ? withFieldsSet(accepted, consumer) : withOnread(accepted, consumer)) ??
    withDataEvents(accepted, consumer);
  socket.resume();
  return socket;
}

function withOnread(accepted: Socket, consumer: ByteConsumer): Socket | null {
  accepted.removeAllListeners();
  const from = accepted as unknown as SocketInternals;
  const handle = from._handle;
  if (typeof handle?.useUserBuffer !== 'function') return null;
  from._handle = null;
  const options = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer: () => consumer.target(),
      callback: (length: number, buffer: Buffer) => consumer.consume(buffer, length),
    },
  };
  const socket = new Socket(options);
  const to = socket as unknown as SocketInternals;
  to._server = from._server ?? null;
  to.server = from.server ?? null;
  return socket;
}

/** Where net.Socket keeps what `onread` gave it. */
const ONREAD_FIELDS = ['kBuffer', 'kBufferGen', 'kBufferCb'] as const;

function withFieldsSet(secured: TLSSocket, consumer: ByteConsumer): Socket | null {
  const handle = (secured as unknown as SocketInternals)._handle;
  const symbols = Object.getOwnPropertySymbols(secured);
  const [buffer, generator, callback] = ONREAD_FIELDS.map(name => symbols.find(symbol => symbol.description === name));
  const isKnown = buffer !== undefined && generator !== undefined && callback !== undefined;
  if (!isKnown || typeof handle?.useUserBuffer !== 'function') return null;
  const first = consumer.target();
  Object.assign(secured, {
    [buffer]: first,
    [generator]: () => consumer.target(),
    [callback]: (length: number, bytes: Buffer) => consumer.consume(bytes, length),
  });
  handle.useUserBuffer(first);
  return secured;
}

/** The fall-back; also for sockets that are no TCP handles. */
export function withDataEvents(socket: Socket, consumer: ByteConsumer): Socket {
  socket.on('data', (chunk: Buffer) => {
    if (!consumer.consume(chunk, chunk.length)) socket.pause();
  });
  return socket;
}
