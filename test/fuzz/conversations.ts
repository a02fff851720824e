import { Chance } from './chance.ts';
import { drawHttp1Input, drawHttp2Input, drawHttp2Opening } from './http-inputs.ts';
import { drawKafkaInput } from './kafka-inputs.ts';
import type { Stock } from './values.ts';

export const DIALECTS = ['kafka', 'http1', 'http2', 'tls'] as const;
export type DialectName = (typeof DIALECTS)[number];
/** Where no dialect is asked for: mostly Kafka's, whose messages are what the broker is made for. */
export const MIX: readonly DialectName[] = [
  ...Array<DialectName>(8).fill('kafka'),
  ...(['http1', 'http2', 'http2', 'tls'] as const),
];

/** How a conversation reaches the broker: the plain port, or the TLS port with or without a handshake. */
export type Transport = 'plain' | 'tls' | 'withoutHandshake';

/** What is said over one connection. */
export interface Conversation {
  readonly number: number;
  readonly dialect: DialectName;
  readonly transport: Transport;
  /** Offered by TLS; null: nothing is. */
  readonly alpn: string | null;
  /** Whether frames of Kafka's are said, whose answers carry their place in `inputs`. */
  readonly isKafka: boolean;
  readonly inputs: readonly Buffer[];
  /** Whether another frame of Kafka's can follow the last input. */
  readonly keepsFraming: boolean;
  /** Bytes that break into an established TLS session, below it; null mostly. */
  readonly interruption: Buffer | null;
}

export interface ConversationSource {
  readonly seed: number;
  /** Conversations are of these dialects, each as likely as it stands here. */
  readonly dialects: readonly DialectName[];
  readonly stock: Stock;
  /** A ClientHello that a TLS library has made. */
  readonly clientHello: Buffer;
}

const MOST_INPUTS = 12;

/** Conversation `number` of a run: it follows from the seed and the number alone (and the ids of topics, where those are asked for). */
export function conversation(source: ConversationSource, number: number): Conversation {
  const chance = Chance.of(source.seed, number);
  const dialect = chance.pick(source.dialects);
  const common = { number, dialect, alpn: null, interruption: null, isKafka: false, keepsFraming: false };
  if (dialect !== 'tls') return { ...common, transport: 'plain', ...saidIn(dialect, chance, source.stock) };
  if (chance.oneIn(2)) return { ...common, transport: 'withoutHandshake', inputs: [beforeHandshake(chance, source)] };
  const [inner, alpn] = chance.pick([
    ['kafka', null],
    ['http1', 'http/1.1'],
    ['http2', 'h2'],
    // What is agreed on is not what is spoken.
    ['kafka', 'h2'],
    ['http2', null],
  ] as const);
  const interruption = chance.oneIn(5) ? tlsRecord(chance) : null;
  const said = saidIn(inner, chance, source.stock);
  // Where HTTP/2 was agreed on, what comes back is not Kafka's.
  return { ...common, transport: 'tls', alpn, interruption, ...said, isKafka: said.isKafka && alpn === null };
}

type Said = Pick<Conversation, 'inputs' | 'isKafka' | 'keepsFraming'>;

function saidIn(dialect: 'kafka' | 'http1' | 'http2', chance: Chance, stock: Stock): Said {
  const count = chance.integer(1, MOST_INPUTS);
  if (dialect === 'kafka') return kafkaFrames(chance, stock, count);
  if (dialect === 'http1') {
    const inputs = Array.from({ length: Math.ceil(count / 3) }, () => drawHttp1Input(chance));
    return { inputs, isKafka: false, keepsFraming: false };
  }
  const inputs = Array.from({ length: count }, (_, i) => drawHttp2Input(chance, 2 * i + 1));
  inputs[0] = Buffer.concat([drawHttp2Opening(chance), inputs[0]!]);
  return { inputs, isKafka: false, keepsFraming: false };
}

function kafkaFrames(chance: Chance, stock: Stock, count: number): Said {
  const inputs: Buffer[] = [];
  while (inputs.length < count) {
    const { bytes, keepsFraming } = drawKafkaInput(chance, stock, inputs.length);
    inputs.push(bytes);
    if (!keepsFraming) return { inputs, isKafka: true, keepsFraming };
  }
  return { inputs, isKafka: true, keepsFraming: true };
}

/** Noise, another protocol, or a ClientHello that is wrong in a few bytes, cut, or followed by noise. */
function beforeHandshake(chance: Chance, { clientHello, stock }: ConversationSource): Buffer {
  switch (chance.integer(0, 5)) {
    case 0:
      return chance.bytes(chance.integer(1, 300));
    case 1:
      return tlsRecord(chance);
    case 2:
      return chance.oneIn(2) ? drawKafkaInput(chance, stock, 0).bytes : drawHttp1Input(chance);
    case 3:
      return clientHello.subarray(0, chance.integer(1, clientHello.length));
    case 4:
      return Buffer.concat([clientHello, chance.oneIn(2) ? clientHello : tlsRecord(chance)]);
    default: {
      const hello = Buffer.from(clientHello);
      for (let left = chance.integer(1, 6); left > 0; left--) {
        hello[chance.integer(0, hello.length - 1)] = chance.pick([0, 1, 0xff, chance.integer(0, 255)]);
      }
      return hello;
    }
  }
}

/** A record of TLS (RFC 8446 §5.1) with any type, version, length and content. */
function tlsRecord(chance: Chance): Buffer {
  const content = chance.bytes(chance.integer(0, 80));
  const head = Buffer.from([chance.pick([20, 21, 22, 23, 24, 255]), 3, chance.integer(0, 4), 0, 0]);
  head.writeUInt16BE(chance.pick([content.length, content.length, 0, 0x4000, 0xffff]), 3);
  return Buffer.concat([head, content]);
}
