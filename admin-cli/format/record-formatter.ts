import type { ConsumerRecord } from '../../client/index.ts';
import { deserializer, type PrintedForm } from './deserializers.ts';
import { groupRecordFormatter } from './group-record-formatters.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { transactionRecordFormatter } from './transaction-records.ts';

/** Writes a record as the console consumer shows it. */
export type RecordFormatter = (record: ConsumerRecord, output: OutputBuffer) => void;

type Column = RecordFormatter;

/**
 * Makes a formatter by the last part of Kafka's class names; the default one shows the columns that the properties ask
 * for, in Kafka's order: timestamp, partition, offset, headers, key, value.
 * @throws Error for a class or a deserializer that does not exist
 */
export function recordFormatter(className: string, properties: Readonly<Record<string, string>>): RecordFormatter {
  const name = className.slice(Math.max(className.lastIndexOf('.'), className.lastIndexOf('$')) + 1);
  switch (name) {
    // The second shows the same, and logs it beside, on a level that tools do not show.
    case 'DefaultMessageFormatter':
    case 'LoggingMessageFormatter':
      return defaultFormatter(properties);
    case 'NoOpMessageFormatter':
      return () => {};
    case 'OffsetsMessageFormatter':
    case 'GroupMetadataMessageFormatter':
      return groupRecordFormatter(
        name === 'OffsetsMessageFormatter' ? 'offset' : 'group',
        className.startsWith('kafka.'),
      );
    case 'TransactionLogMessageFormatter':
      return transactionRecordFormatter(className.startsWith('kafka.'));
    default:
      throw new Error(
        `There is no formatter ${className}; there are: DefaultMessageFormatter, LoggingMessageFormatter, NoOpMessageFormatter, OffsetsMessageFormatter, GroupMetadataMessageFormatter, TransactionLogMessageFormatter`,
      );
  }
}

/** Kafka: `DefaultMessageFormatter`. */
function defaultFormatter(properties: Readonly<Record<string, string>>): RecordFormatter {
  const enabled = (name: string) => properties[name]?.trim().toLowerCase() === 'true';
  const columns: Column[] = [];
  if (enabled('print.timestamp')) columns.push(timestamp);
  if (enabled('print.partition')) columns.push((record, output) => output.append(`Partition:${record.partition}`));
  if (enabled('print.offset')) columns.push((record, output) => output.append(`Offset:${record.offset}`));
  if (enabled('print.headers')) columns.push(headersColumn(properties));
  const nullLiteral = Buffer.from(properties['null.literal'] ?? 'null');
  const print = (name: string, pick: (record: ConsumerRecord) => Buffer | null): Column => {
    const convert = deserializerOf(properties, name);
    return (record, output) => {
      const bytes = pick(record);
      output.append(bytes === null ? nullLiteral : convert === null ? bytes : convert(bytes));
    };
  };
  if (enabled('print.key')) columns.push(print('key.deserializer', record => record.key));
  if (properties['print.value'] === undefined || enabled('print.value')) {
    columns.push(print('value.deserializer', record => record.value));
  }
  return joined(columns, properties);
}

function joined(columns: readonly Column[], properties: Readonly<Record<string, string>>): RecordFormatter {
  const separator = Buffer.from(properties['key.separator'] ?? '\t');
  const end = Buffer.from(properties['line.separator'] ?? '\n');
  const [only] = columns;
  if (only === undefined) return () => {};
  if (columns.length === 1) {
    return (record, output) => {
      only(record, output);
      output.append(end);
    };
  }
  return (record, output) => {
    columns.forEach((column, index) => {
      if (index > 0) output.append(separator);
      column(record, output);
    });
    output.append(end);
  };
}

function timestamp({ timestampType, timestamp: ms }: ConsumerRecord, output: OutputBuffer): void {
  output.append(timestampType === 'NoTimestampType' ? 'NO_TIMESTAMP' : `${timestampType}:${ms}`);
}

function headersColumn(properties: Readonly<Record<string, string>>): Column {
  const separator = properties['headers.separator'] ?? ',';
  const nullLiteral = properties['null.literal'] ?? 'null';
  const convert = deserializerOf(properties, 'headers.deserializer');
  return ({ headers }, output) => {
    if (headers.length === 0) output.append('NO_HEADERS');
    headers.forEach(({ key, value }, index) => {
      output.append(`${index > 0 ? separator : ''}${key}:`);
      output.append(value === null ? nullLiteral : convert === null ? value : convert(value));
    });
  };
}

function deserializerOf(properties: Readonly<Record<string, string>>, name: string): PrintedForm | null {
  const className = properties[name]?.trim();
  return className === undefined || className === '' ? null : deserializer(className);
}
