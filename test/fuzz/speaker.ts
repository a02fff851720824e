import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { encodeRequestFrame } from '../../shared/protocol/headers.ts';
import { ApiVersions } from '../../shared/protocol/messages/api-versions.ts';
import type { Conversation } from './conversations.ts';

export interface Ports {
  readonly plain: number;
  readonly tls: number;
}

/** How long the broker is waited for when it neither answers nor closes: what is incomplete has no other end. */
const QUIET_MS = 30;
/** The same, where an answer is due. A request that asks to wait (by a mutated wait time) gets no more than this. */
const HELD_MS = 400;

/**
 * Says the whole conversation: what follows an input that made the broker close is said over another connection.
 * @throws Error when an answer belongs to nothing that was asked
 */
export async function say(conversation: Conversation, ports: Ports): Promise<void> {
  if (!conversation.isKafka) {
    await speak(conversation, ports, Buffer.concat(conversation.inputs), null);
    return;
  }
  for (let from = 0; from < conversation.inputs.length;) {
    const bytes = Buffer.concat([...conversation.inputs.slice(from), ...ending(conversation)]);
    const last = await speak(conversation, ports, bytes, from);
    if (last < from - 1) throw new Error(`conversation ${conversation.number}: input ${from} was answered as ${last}`);
    from = last + 2;
  }
}

/** A request that is in order: its answer says that all before it has been dealt with. */
function ending({ inputs, keepsFraming }: Conversation): Buffer[] {
  return keepsFraming ? encodeRequestFrame(ApiVersions, 0, inputs.length, 'fuzz', {}) : [];
}

/**
 * Sends the bytes and reads until the peer closes, is quiet, or has answered everything.
 * @param from the input that the bytes begin with; null where answers are not looked at
 * @returns the last input that was answered, `from` − 1 for none
 */
function speak(conversation: Conversation, ports: Ports, bytes: Buffer, from: number | null): Promise<number> {
  return new Promise(resolve => {
    const { interruption, inputs, keepsFraming } = conversation;
    const answers = new Answers((from ?? 0) - 1);
    const patience = from !== null && keepsFraming ? HELD_MS : QUIET_MS;
    const { raw, stream } = open(conversation, ports);
    let timer = setTimeout(done, HELD_MS);
    function done() {
      clearTimeout(timer);
      stream.destroy();
      raw.destroy();
      resolve(answers.last);
    }
    stream.on('error', done).on('close', done).on('end', done);
    raw.on('error', done).on('close', done);
    stream.once(stream === raw ? 'connect' : 'secureConnect', () => {
      stream.write(bytes);
      clearTimeout(timer);
      timer = setTimeout(done, patience);
      if (interruption !== null) raw.write(interruption);
    });
    stream.on('data', (chunk: Buffer) => {
      if (from !== null) answers.push(chunk);
      if (answers.last >= inputs.length) {
        done();
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(done, patience);
    });
  });
}

function open({ transport, alpn }: Conversation, ports: Ports): { raw: Socket; stream: Socket } {
  const raw = connect(transport === 'plain' ? ports.plain : ports.tls, '127.0.0.1');
  if (transport !== 'tls') return { raw, stream: raw };
  // Who the broker is does not matter here.
  const stream = connectTls({
    socket: raw,
    rejectUnauthorized: false,
    ...(alpn !== null && { ALPNProtocols: [alpn] }),
  });
  return { raw, stream };
}

/** Reads the correlation ids of Kafka's answers, and nothing else of them. */
class Answers {
  last: number;
  #head = Buffer.alloc(0);
  #skip = 0;

  constructor(last: number) {
    this.last = last;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      const skipped = Math.min(this.#skip, rest.length);
      this.#skip -= skipped;
      rest = rest.subarray(skipped);
      const missing = 8 - this.#head.length;
      this.#head = Buffer.concat([this.#head, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.#head.length < 8) return;
      this.last = this.#head.readInt32BE(4);
      this.#skip = this.#head.readInt32BE(0) - 4;
      this.#head = Buffer.alloc(0);
    }
  }
}

/** The first message of a TLS client, as this machine's library writes it. */
export async function captureClientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ALPNProtocols: ['h2', 'http/1.1'] });
  client.on('error', () => {});
  const [peer] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(peer, 'data')) as [Buffer];
  peer.destroy();
  client.destroy();
  server.close();
  return hello;
}
