import { parseArgs } from 'node:util';

export interface BareOptions {
  /** The file to append to or to read from. */
  readonly file: string;
  readonly topic: string;
  /** Bytes of every batch. */
  readonly batchBytes: number;
}

/** The command line of the bare programs. */
export function bareOptions(): BareOptions {
  const { values } = parseArgs({
    options: { file: { type: 'string' }, topic: { type: 'string' }, 'batch-bytes': { type: 'string' } },
  });
  return { file: values.file!, topic: values.topic!, batchBytes: Number(values['batch-bytes']) };
}

/** Tells the parent the port. */
export function reportPort(address: unknown): void {
  process.stdout.write(`${(address as { port: number }).port}\n`);
}
