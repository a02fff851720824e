import { tlsProblem } from '../tls/problems.ts';
import { ConnectionError, type Address, type ConnectionErrorCode } from './connection.ts';

/** What Node says when nothing was sent yet, hence nothing can have had an effect. */
const REFUSALS: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EHOSTDOWN',
]);

/** `host:port`, with brackets around an IPv6 address. */
export function peerName({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Says in the terms of connections why a socket failed. */
export function connectionErrorFrom(error: Error, peer: string): ConnectionError {
  if (error instanceof ConnectionError) return error;
  // Several addresses of one name tried in vain come as an AggregateError with an empty message.
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  const { code } = first as NodeJS.ErrnoException;
  const kind: ConnectionErrorCode = code !== undefined && REFUSALS.has(code) ? 'REFUSED' : 'CLOSED';
  const problem = tlsProblem(first);
  const connectionError =
    problem === null
      ? new ConnectionError(kind, `${peer}: ${first.message}`)
      : new ConnectionError('INSECURE', `${peer}: TLS handshake failed: ${problem}`);
  connectionError.cause = error;
  return connectionError;
}

/**
 * The error of the first call on a connection. Since TLS 1.3 a server looks at the client's certificate when the client
 * is already through with the handshake, and Node's servers then close without a word: so the likely reason is named.
 */
export function firstCallError(error: unknown, isSecured: boolean): unknown {
  if (!isSecured || !(error instanceof ConnectionError) || error.code !== 'CLOSED') return error;
  const hint = 'right after the TLS handshake; it may not accept the certificate of this side, or want one';
  return new ConnectionError('CLOSED', `${error.message} (${hint})`);
}
