import { basename } from 'node:path';
import type { DumpContext } from './dump/context.ts';
import { Findings } from './dump/findings.ts';
import { dumpOffsetIndex, dumpTimeIndex, dumpTransactionIndex } from './dump/indexes.ts';
import { dumpLog } from './dump/log.ts';
import { dumpProducerSnapshot } from './dump/producer-snapshot.ts';
import { deserializer, type PrintedForm } from './format/deserializers.ts';
import { recordContents } from './format/dumped-batch.ts';
import { transactionRecordContents } from './format/transaction-records.ts';
import { groupRecordContents } from './format/dumped-group-record.ts';
import { LineOutput } from './support/line-output.ts';
import { integer, parseOptions, required, runTool, toolCommand, ToolFailure } from './support/tool.ts';

interface Options {
  files?: string;
  printDataLog?: true;
  deepIteration?: true;
  offsetsDecoder?: true;
  transactionLogDecoder?: true;
  keyDecoderClass?: string;
  valueDecoderClass?: string;
  indexSanityCheck?: true;
  verifyIndexOnly?: true;
  maxMessageSize: number;
  maxBytes?: number;
  skipRecordMetadata?: true;
}

const command = toolCommand('kafka-dump-log', 'Shows what log segments and their indexes hold.')
  .option('--files <list>', 'The files, separated by commas: .log, .index, .timeindex, .txnindex or .snapshot.')
  .option('--print-data-log', 'Show the records with keys and values.')
  .option('--deep-iteration', 'Show the records without keys and values.')
  .option('--offsets-decoder', 'Read records as those of __consumer_offsets.')
  .option('--transaction-log-decoder', 'Read records as those of __transaction_state.')
  .option('--key-decoder-class <class>', 'How keys become text (default kafka.serializer.StringDecoder).')
  .option('--value-decoder-class <class>', 'How values become text (default kafka.serializer.StringDecoder).')
  .option('--index-sanity-check', 'Only check indexes as a start does.')
  .option('--verify-index-only', 'Compare indexes with the log without listing them.')
  .option(
    '--max-message-size <bytes>',
    'Largest batch that an index may point to.',
    integer('max-message-size', 1),
    5_242_880,
  )
  .option('--max-bytes <bytes>', 'Look at no more than so many bytes of a log.', integer('max-bytes', 1))
  .option('--skip-record-metadata', "Leave out a record's offset, timestamp, sizes and headers.");

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<Options>(command, argv);
  const files = required(options.files, 'files').split(',');
  const findings = new Findings();
  const context = contextOf(options, findings);
  const output = new LineOutput();
  try {
    for (const file of files) await dump(file, context, output);
  } finally {
    await output.flush();
    for (const line of findings.lines()) process.stderr.write(`${line}\n`);
  }
}

function contextOf(options: Options, findings: Findings): DumpContext {
  const { printDataLog, offsetsDecoder, transactionLogDecoder, keyDecoderClass, valueDecoderClass } = options;
  const hasDecoder = (keyDecoderClass ?? valueDecoderClass) !== undefined;
  const contents = printDataLog ?? offsetsDecoder ?? transactionLogDecoder ?? hasDecoder;
  return {
    deep: contents || options.deepIteration === true,
    contents,
    skipMetadata: options.skipRecordMetadata === true,
    contentsOf: contentsOf(options),
    maxBytes: options.maxBytes ?? Infinity,
    maxMessageSize: options.maxMessageSize,
    verifyOnly: options.verifyIndexOnly === true,
    sanityOnly: options.indexSanityCheck === true,
    findings,
  };
}

function contentsOf(options: Options): DumpContext['contentsOf'] {
  const { offsetsDecoder, transactionLogDecoder, keyDecoderClass, valueDecoderClass } = options;
  if (offsetsDecoder) return groupRecordContents;
  if (transactionLogDecoder) return transactionRecordContents;
  return recordContents(decoder(keyDecoderClass), decoder(valueDecoderClass));
}

/** Kafka's decoders are the older siblings of its deserializers: `kafka.serializer.LongDecoder`. */
function decoder(className = 'kafka.serializer.StringDecoder'): PrintedForm {
  return deserializer(
    className.replace(/DefaultDecoder$/, 'ByteArrayDeserializer').replace(/Decoder$/, 'Deserializer'),
  );
}

async function dump(file: string, context: DumpContext, output: LineOutput): Promise<void> {
  const [name, suffix] = basename(file).split('.') as [string, string | undefined];
  const dumpOf = suffix !== undefined && Object.hasOwn(KINDS, suffix) ? KINDS[suffix] : undefined;
  output.line(`Dumping ${file}`);
  if (dumpOf === undefined) {
    process.stderr.write(`Ignoring unknown file ${file}\n`);
    return;
  }
  try {
    await dumpOf(file, Number(name), context, output);
  } catch (error) {
    if (error instanceof ToolFailure) throw error;
    throw new ToolFailure(`Cannot dump ${file}: ${(error as Error).message}`);
  }
}

type Dump = (file: string, baseOffset: number, context: DumpContext, output: LineOutput) => Promise<void> | void;

/** By the suffix of the file. */
const KINDS: Readonly<Record<string, Dump>> = {
  log: dumpLog,
  index: dumpOffsetIndex,
  timeindex: dumpTimeIndex,
  txnindex: (file, _baseOffset, _context, output) => dumpTransactionIndex(file, output),
  snapshot: (file, _baseOffset, _context, output) => dumpProducerSnapshot(file, output),
};

await runTool(command, main);
