import type { Command } from 'commander';
import { integer, required, toolCommand, UsageError } from '../support/tool.ts';

export const ACTIONS = ['list', 'describe', 'describe-producers', 'abort', 'find-hanging'] as const;
export type TransactionsAction = (typeof ACTIONS)[number];

export interface TransactionsOptions {
  bootstrapServer?: string;
  commandConfig?: string;
  durationFilter?: number;
  transactionalId?: string;
  brokerId?: number;
  topic?: string;
  partition?: number;
  startOffset?: number;
  producerId?: number;
  producerEpoch?: number;
  coordinatorEpoch?: number;
  maxTransactionTimeout: number;
}

/** Minutes; the longest that brokers allow by default. */
const MAX_TRANSACTION_TIMEOUT = 15;

export function transactionsCommand(): Command {
  return toolCommand('kafka-transactions', 'Lists, describes and aborts transactions, and finds those that hang.')
    .usage(`--bootstrap-server <servers> {${ACTIONS.join(',')}} [options]`)
    .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
    .option('--command-config <file>', 'Properties for the admin client.')
    .option(
      '--duration-filter <ms>',
      'list: only transactions that are open for longer.',
      integer('duration-filter', 0),
    )
    .option('--transactional-id <id>', 'describe: the transactional id.')
    .option('--broker-id <id>', 'describe-producers, find-hanging: the replica asked.', integer('broker-id', 0))
    .option('--topic <topic>', 'describe-producers, abort, find-hanging: the topic.')
    .option(
      '--partition <partition>',
      'describe-producers, abort, find-hanging: the partition.',
      integer('partition', 0),
    )
    .option('--start-offset <offset>', 'abort: the first offset of the transaction.', integer('start-offset', 0))
    .option('--producer-id <id>', 'abort: the producer.', integer('producer-id', 0))
    .option('--producer-epoch <epoch>', 'abort: its epoch.', integer('producer-epoch', 0, 32_767))
    .option('--coordinator-epoch <epoch>', 'abort: the coordinator that writes.', integer('coordinator-epoch'))
    .option(
      '--max-transaction-timeout <minutes>',
      'find-hanging: only transactions that are open for longer.',
      integer('max-transaction-timeout', 0),
      MAX_TRANSACTION_TIMEOUT,
    );
}

/** The action is a word of its own, before or behind the options. @throws UsageError */
export function takeAction(argv: readonly string[]): { action: TransactionsAction; rest: string[] } {
  const at = argv.findIndex((word, index) => isAction(word) && !takesValue(argv[index - 1]));
  if (at < 0) throw new UsageError(argv.length === 0 ? '' : `one of ${ACTIONS.join(', ')} is needed`);
  return { action: argv[at] as TransactionsAction, rest: argv.filter((_, index) => index !== at) };
}

function isAction(word: string): boolean {
  return (ACTIONS as readonly string[]).includes(word);
}

function takesValue(word: string | undefined): boolean {
  return word !== undefined && word.startsWith('--') && !word.includes('=');
}

/** The partition that `describe-producers` and `abort` are about. @throws UsageError */
export function neededPartition({ topic, partition }: TransactionsOptions): { topic: string; partition: number } {
  return { topic: required(topic, 'topic'), partition: required(partition, 'partition') };
}
