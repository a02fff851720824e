import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What it takes to act in the name of a session. */
export interface SessionCredentials {
  readonly sessionId: bigint;
  readonly sessionPassword: Buffer;
}

/**
 * Ends a session that a living client holds, as the server would at its timeout, without waiting for one: attaches to
 * the session from a connection of our own and closes it. The victim may take its session back in between, so this is
 * repeated until the server says that there is no such session.
 * @param port of a ZooKeeper server on 127.0.0.1
 */
export async function expireSession(port: number, { sessionId, sessionPassword }: SessionCredentials): Promise<void> {
  // A client that is handed in tells of its newest session, which is not to be ended as well.
  const session = { sessionId, sessionPassword };
  for (let attempt = 0; attempt < 50; attempt++) {
    if (await attachAndClose(port, session)) return;
  }
  throw new Error('the session could not be ended');
}

/** Whether the server knew no such session any more. */
async function attachAndClose(port: number, session: SessionCredentials): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    // Both at once, so that the victim has little time to take its session back.
    socket.write(Buffer.concat([frame(connectRequest(session)), frame(closeRequest())]));
    const grantedTimeout = (await readFrame(socket)).readInt32BE(4);
    if (grantedTimeout > 0) await once(socket, 'close');
    return grantedTimeout <= 0;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Protocol version, last zxid seen, timeout, session id, password. */
function connectRequest({ sessionId, sessionPassword }: SessionCredentials): Buffer {
  const request = Buffer.alloc(4 + 8 + 4 + 8 + 4);
  request.writeInt32BE(4000, 12);
  request.writeBigInt64BE(sessionId, 16);
  request.writeInt32BE(sessionPassword.length, 24);
  return Buffer.concat([request, sessionPassword]);
}

function closeRequest(): Buffer {
  const request = Buffer.alloc(8);
  request.writeInt32BE(1, 0);
  request.writeInt32BE(-11, 4);
  return request;
}

function frame(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** The body of the next message. */
function readFrame(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        socket.off('data', onData);
        resolve(received.subarray(4, 4 + received.readInt32BE(0)));
      }
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
    socket.setTimeout(5000, () => socket.destroy(new Error('ZooKeeper does not answer')));
  });
}
