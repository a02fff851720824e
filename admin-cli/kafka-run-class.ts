import { UsageError } from './support/tool.ts';

/** Tools by the last part of the names that their classes have had. */
const TOOLS: Readonly<Record<string, () => Promise<unknown>>> = {
  TopicCommand: () => import('./kafka-topics.ts'),
  ConfigCommand: () => import('./kafka-configs.ts'),
  ConsoleProducer: () => import('./kafka-console-producer.ts'),
  ConsoleConsumer: () => import('./kafka-console-consumer.ts'),
  ConsumerGroupCommand: () => import('./kafka-consumer-groups.ts'),
  GetOffsetShell: () => import('./kafka-get-offsets.ts'),
  DeleteRecordsCommand: () => import('./kafka-delete-records.ts'),
  DumpLogSegments: () => import('./kafka-dump-log.ts'),
  LogDirsCommand: () => import('./kafka-log-dirs.ts'),
  ReassignPartitionsCommand: () => import('./kafka-reassign-partitions.ts'),
  LeaderElectionCommand: () => import('./kafka-leader-election.ts'),
  BrokerApiVersionsCommand: () => import('./kafka-broker-api-versions.ts'),
  StreamsResetter: () => import('./kafka-streams-application-reset.ts'),
  TransactionsCommand: () => import('./kafka-transactions.ts'),
  VerifiableConsumer: () => import('./kafka-verifiable-consumer.ts'),
  ZooKeeperMainWithTlsSupportForKafka: () => import('./zookeeper-shell.ts'),
  ZooKeeperMain: () => import('./zookeeper-shell.ts'),
};

/** Flags of the launcher that concern a Java process: accepted, without effect. */
const FLAGS_WITHOUT_VALUE = new Set(['-daemon', '-loggc']);

/** Takes the launcher's flags off; they come before the class. */
function withoutFlags(argv: readonly string[]): string[] {
  let at = 0;
  while (at < argv.length) {
    if (FLAGS_WITHOUT_VALUE.has(argv[at]!)) at++;
    else if (argv[at] === '-name') at += 2;
    else break;
  }
  return argv.slice(at);
}

/** The tool of a class such as `kafka.tools.GetOffsetShell` or `org.apache.kafka.tools.consumer.ConsoleConsumer`. */
function toolOf(className: string): () => Promise<unknown> {
  const isKafka = /^(kafka|org\.apache\.kafka|org\.apache\.zookeeper)\./.test(className);
  const name = className.slice(className.lastIndexOf('.') + 1);
  const tool = isKafka && Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;
  if (tool === undefined)
    throw new UsageError(`There is no tool ${className}; known are: ${Object.keys(TOOLS).join(', ')}`);
  return tool;
}

try {
  const [className, ...rest] = withoutFlags(process.argv.slice(2));
  if (className === undefined) {
    throw new UsageError('USAGE: kafka-run-class [-daemon] [-name servicename] [-loggc] classname [opts]');
  }
  const run = toolOf(className);
  process.argv.splice(2, Infinity, ...rest);
  await run();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
