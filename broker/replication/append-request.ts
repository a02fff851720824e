/** Records for one partition. */
export interface AppendEntry {
  readonly topic: string;
  readonly partition: number;
  /** Belongs to the append until it is answered; offsets and epochs are patched in it. */
  readonly records: Buffer;
}

/** The transaction to which those of the records belong that are marked so. */
export interface AppendTransaction {
  /** The transactional id. */
  readonly id: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Whether who asks knows TRANSACTION_ABORTABLE. */
  readonly knowsAbortable: boolean;
}

export interface AppendRequest {
  /** 0, 1 or -1 (all in-sync replicas). */
  readonly acks: number;
  /** How long acks=-1 waits for the replicas, in milliseconds. */
  readonly timeoutMs: number;
  readonly entries: readonly AppendEntry[];
  /** Formats before v2 are taken and converted (Produce up to version 2). */
  readonly legacyMagicAllowed: boolean;
  /** Who writes: the brokers' own coordinators and Kafka's admin client may write to internal topics. */
  readonly origin: 'client' | 'adminClient' | 'coordinator';
  /** Without it, records of transactions are taken on trust: their writer has asked the coordinator, or is one. */
  readonly transaction?: AppendTransaction;
}
