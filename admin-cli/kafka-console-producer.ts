import { createProducer } from '../client/create/producer.ts';
import type { Producer, SendCallback } from '../client/index.ts';
import { LineError, LineReader } from './producing/line-reader.ts';
import { LineSplitter } from './producing/line-splitter.ts';
import { producerCommand, producerSettings, readerProperties, type ProducerOptions } from './producing/options.ts';
import { SendFailures } from './producing/send-failures.ts';
import { toolLogger } from './support/logger.ts';
import { parseOptions, required, runTool, ToolFailure } from './support/tool.ts';

const command = producerCommand();

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<ProducerOptions>(command, argv);
  const topic = required(options.topic, 'topic');
  const reader = new LineReader(readerProperties(options));
  const producer = createProducer(producerSettings(options), { runtime: { logger: toolLogger() } });
  const failures = new SendFailures(topic, line => process.stderr.write(line));
  stopReadingOn('SIGINT', 130);
  stopReadingOn('SIGTERM', 143);
  try {
    await (options.sync ? sendOneByOne(producer, topic, reader) : sendAll(producer, topic, reader, failures.callback));
  } catch (error) {
    throw error instanceof LineError ? new ToolFailure(error.message) : error;
  } finally {
    // Records have delivery.timeout.ms to arrive or fail: no shorter limit here.
    await producer.close(2 ** 31 - 1);
    failures.summarise();
  }
}

/** The signal ends the input like the end of the file, so that what was read is still sent; the next one kills. */
function stopReadingOn(signal: NodeJS.Signals, exitCode: number): void {
  process.once(signal, () => {
    process.exitCode = exitCode;
    process.stdin.destroy();
  });
}

/** Sends the lines of stdin as fast as they come, but no faster than the brokers take them. */
async function sendAll(producer: Producer, topic: string, reader: LineReader, callback: SendCallback): Promise<void> {
  const send = reader.isPlain
    ? (line: Buffer) => producer.send({ topic, value: line }, callback)
    : (line: Buffer) => producer.send({ topic, ...definedOnly(reader.read(line)) }, callback);
  const lines = new LineSplitter();
  for await (const chunk of input()) {
    lines.push(chunk, send);
    if (producer.needsDrain) await producer.drained();
    prompt();
  }
  lines.end(send);
}

/** `--sync`: each line waits for the acknowledgement of the one before; the first failure ends it. */
async function sendOneByOne(producer: Producer, topic: string, reader: LineReader): Promise<void> {
  const lines = new LineSplitter();
  const waiting: Buffer[] = [];
  const sendWaiting = async () => {
    for (const line of waiting.splice(0)) await producer.send({ topic, ...definedOnly(reader.read(line)) });
  };
  for await (const chunk of input()) {
    lines.push(chunk, line => waiting.push(line));
    await sendWaiting();
    prompt();
  }
  lines.end(line => waiting.push(line));
  await sendWaiting();
}

function definedOnly({ key, value, headers }: ReturnType<LineReader['read']>) {
  return headers === undefined ? { key, value } : { key, value, headers };
}

/** The chunks of stdin. */
async function* input(): AsyncGenerator<Buffer> {
  prompt();
  try {
    for await (const chunk of process.stdin) yield chunk as Buffer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

function prompt(): void {
  if (process.stdin.isTTY && process.stdout.isTTY) process.stdout.write('>');
}

await runTool(command, main);
