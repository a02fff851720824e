import type { Address, Connection } from '../../shared/connection/connection.ts';
import { Http2Connector } from '../../shared/connection/http2.ts';
import { KafkaConnector } from '../../shared/connection/kafka.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import { systemTimers } from '../../shared/runtime/clock.ts';

export type Dialect = 'kafka' | 'http2';
export const DIALECTS: readonly Dialect[] = ['kafka', 'http2'];

/**
 * The last versions without tagged fields: in them a produce request ends with its records, which lets the bare
 * program find them without knowing the protocol.
 */
export const PRODUCE_VERSION = 8;
export const FETCH_VERSION = 11;

export function connectTo(dialect: Dialect, address: Address): Promise<Connection> {
  const options = { clientId: 'bench', requestTimeoutMs: 30_000, connectTimeoutMs: 5_000, timers: systemTimers };
  const connector =
    dialect === 'http2' ? new Http2Connector(options) : new KafkaConnector({ ...options, negotiate: false });
  return connector.connect(address);
}

/** @returns the offset of the first record */
export async function produce(
  connection: Connection,
  topic: string,
  partition: number,
  records: Buffer,
  acks: -1 | 1,
): Promise<number> {
  const answer = await connection.call(
    Produce,
    { acks, timeoutMs: 10_000, topicData: [{ name: topic, partitionData: [{ index: partition, records }] }] },
    { version: PRODUCE_VERSION },
  );
  const { errorCode, baseOffset } = answer!.responses[0]!.partitionResponses[0]!;
  if (errorCode !== ErrorCode.NONE) throw new Error(`produce to ${topic}-${partition} answered error ${errorCode}`);
  return baseOffset;
}

/** Fetches at most `maxBytes` from `offset` on. @param readCommitted up to the last stable offset only */
export async function fetchRecords(
  connection: Connection,
  topic: string,
  partition: number,
  offset: number,
  maxBytes: number,
  readCommitted = false,
): Promise<Buffer> {
  const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes: maxBytes }];
  const answer = await connection.call(
    Fetch,
    {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes,
      isolationLevel: readCommitted ? 1 : 0,
      topics: [{ topic, partitions }],
      forgottenTopicsData: [],
    },
    { version: FETCH_VERSION },
  );
  const { errorCode, records } = answer!.responses[0]!.partitions[0]!;
  if (errorCode !== ErrorCode.NONE) throw new Error(`fetch from ${topic}-${partition} answered error ${errorCode}`);
  if (!Buffer.isBuffer(records)) throw new Error('a decoded answer holds its records in one piece');
  return records;
}
