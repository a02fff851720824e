import { fstatSync } from 'node:fs';
import { createProducer } from '../client/create/producer.ts';
import type { Producer, SendCallback } from '../client/index.ts';
import { LineError, LineReader } from './producing/line-reader.ts';
import { LineSplitter } from './producing/line-splitter.ts';
import { producerCommand, producerSettings, readerProperties, type ProducerOptions } from './producing/options.ts';
import { SendFailures } from './producing/send-failures.ts';
import { toolLogger } from './support/logger.ts';
import { progressOnStderr } from './support/progress.ts';
import { parseOptions, required, runTool, ToolFailure } from './support/tool.ts';

const command = producerCommand();

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<ProducerOptions>(command, argv);
  const topic = required(options.topic, 'topic');
  const reader = new LineReader(readerProperties(options));
  const progress = process.stdin.isTTY ? null : progressOnStderr('bytes', inputSize());
  const complain = (line: string) => {
    progress?.clear();
    process.stderr.write(line);
  };
  const producer = createProducer(producerSettings(options), { runtime: { logger: toolLogger(complain) } });
  const failures = new SendFailures(topic, complain);
  const chunks = input(done => progress?.update(done));
  stopReadingOn('SIGINT', 130);
  stopReadingOn('SIGTERM', 143);
  try {
    await (options.sync
      ? sendOneByOne(producer, topic, reader, chunks)
      : sendAll(producer, topic, reader, chunks, failures.callback));
  } catch (error) {
    throw error instanceof LineError ? new ToolFailure(error.message) : error;
  } finally {
    // Records have delivery.timeout.ms to arrive or fail: no shorter limit here.
    await producer.close(2 ** 31 - 1);
    progress?.clear();
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
async function sendAll(
  producer: Producer,
  topic: string,
  reader: LineReader,
  chunks: AsyncIterable<Buffer>,
  callback: SendCallback,
): Promise<void> {
  const send = reader.isPlain
    ? (line: Buffer) => producer.send({ topic, value: line }, callback)
    : (line: Buffer) => producer.send({ topic, ...definedOnly(reader.read(line)) }, callback);
  const lines = new LineSplitter();
  for await (const chunk of chunks) {
    lines.push(chunk, send);
    if (producer.needsDrain) await producer.drained();
  }
  lines.end(send);
}

/** `--sync`: each line waits for the acknowledgement of the one before; the first failure ends it. */
async function sendOneByOne(
  producer: Producer,
  topic: string,
  reader: LineReader,
  chunks: AsyncIterable<Buffer>,
): Promise<void> {
  const lines = new LineSplitter();
  const waiting: Buffer[] = [];
  const sendWaiting = async () => {
    for (const line of waiting.splice(0)) await producer.send({ topic, ...definedOnly(reader.read(line)) });
  };
  for await (const chunk of chunks) {
    lines.push(chunk, line => waiting.push(line));
    await sendWaiting();
  }
  lines.end(line => waiting.push(line));
  await sendWaiting();
}

function definedOnly({ key, value, headers }: ReturnType<LineReader['read']>) {
  return headers === undefined ? { key, value } : { key, value, headers };
}

/** The chunks of stdin; a prompt invites each one that is typed. */
async function* input(onRead: (bytes: number) => void): AsyncGenerator<Buffer> {
  let bytes = 0;
  prompt();
  try {
    for await (const chunk of process.stdin) {
      yield chunk as Buffer;
      bytes += (chunk as Buffer).length;
      onRead(bytes);
      prompt();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** Bytes of the file that stdin is; null when it is none. */
function inputSize(): number | null {
  const stat = fstatSync(0);
  return stat.isFile() ? stat.size : null;
}

function prompt(): void {
  if (process.stdin.isTTY && process.stdout.isTTY) process.stdout.write('>');
}

await runTool(command, main);
