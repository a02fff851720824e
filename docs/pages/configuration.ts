import { BROKER_CONFIG_GROUPS } from '../../broker/config/table/index.ts';
import {
  defaultText,
  REQUIRED,
  type ConfigRow,
  type ConfigTable,
  type DynamicScope,
} from '../../shared/config/table.ts';
import { TOPIC_CONFIG_KEYS, topicConfigRow } from '../../shared/topics/topic-config.ts';
import { GENERATED, markdownTable } from './markdown.ts';

const CHANGE: Readonly<Record<DynamicScope, string>> = {
  'read-only': 'restart',
  'per-broker': 'one broker',
  'cluster-wide': 'one or all',
  'dynamic-only': 'one or all, not in the file',
};

const INTRODUCTION = `# Configuration

A broker is configured as a classic Kafka broker is: by a \`server.properties\` file with the same names, types and
defaults. Stronger wins:

1. dynamic settings of this broker (\`kafka-configs --entity-type brokers --entity-name <id> --alter …\`),
2. dynamic settings of all brokers (\`--entity-default\`),
3. \`--override key=value\` on the command line of \`kafka-server-start\`; the last one of a key,
4. environment variables: \`KAFKA_\` and the key in capitals, with \`_\` for \`.\`, \`__\` for \`_\` and \`___\` for \`-\`
   (\`KAFKA_LOG_DIRS\` is \`log.dirs\`); variables that Kafka's scripts use themselves, such as \`KAFKA_HEAP_OPTS\`, are
   left alone,
5. the file; the last line of a key,
6. the default.

A value that is not allowed stops the start with the key, the value, what is allowed, and the line of the file. A key that
nobody knows earns a warning, as in Kafka. So does a key marked ✗ below that is set to anything but its default: it is
known and checked, but this version does not act on it.

In the column *Change*: \`restart\` means that the setting is read at the start; \`one broker\` and \`one or all\` that it can be
changed while the broker runs, at those levels.

Times are in milliseconds and sizes in bytes unless the name says otherwise. Limits of 9223372036854775807 and 2147483647
mean "none".

## Logging

Log lines are JSON, one an event; on a terminal they are written for people. Kafka keeps the level in a file of its Java
logging library, for which there is no key: here the environment variable \`SAMSA_LOG_LEVEL\` (or \`LOG_LEVEL\`) names it:
trace, debug, info (the default), warn, error, fatal or silent.

## Where this broker differs

- \`queued.max.request.bytes=-1\` stands for 64 MiB, not for "no limit": a process that reads without limit dies.
- \`socket.request.max.bytes\` is at most 1073741823, so that the first bytes of a connection tell its protocol.
- \`advertised.listeners\`, or \`listeners\` in its place, can hold neither \`0.0.0.0\` nor \`::\`.
- Key and trust stores are PEM or PKCS#12. A JKS store is refused with the \`keytool\` line that converts it.
- Listeners with SASL, TLS towards ZooKeeper, and \`process.roles\` (KRaft) are refused with a sentence, not ignored.
- Passwords cannot be changed while the broker runs.
`;

/** docs/CONFIGURATION.md. */
export function configurationPage(): string {
  const groups = BROKER_CONFIG_GROUPS.map(({ title, rows }) => `### ${title}\n\n${brokerTable(rows)}\n`);
  return [GENERATED, INTRODUCTION, '## Broker settings\n', ...groups, topicSection()].join('\n');
}

function brokerTable(rows: ConfigTable): string {
  return markdownTable(
    ['Key', 'Type', 'Default', 'Allowed', 'Change', 'Meaning'],
    Object.entries(rows).map(([key, row]) => [
      name(key, row),
      row.type,
      shownDefault(row),
      allowed(row),
      CHANGE[row.dynamic],
      row.doc,
    ]),
  );
}

function topicSection(): string {
  const rows = TOPIC_CONFIG_KEYS.map(key => {
    const row = topicConfigRow(key)!;
    const synonym = row.synonym === null ? '' : `\`${row.synonym}\``;
    return [name(key, row), row.type, shownDefault(row), allowed(row), synonym, row.doc];
  });
  const table = markdownTable(['Key', 'Type', 'Default', 'Allowed', 'Broker setting', 'Meaning'], rows);
  return `## Topic settings

A topic has the settings it was created with or was given by \`kafka-configs --entity-type topics\`. What it does not have
comes from the broker setting beside it, and all of them can be changed at any time.

${table}
`;
}

function name(key: string, row: ConfigRow<unknown>): string {
  return `\`${key}\`${row.status === 'notYet' ? ' ✗' : ''}`;
}

function shownDefault(row: ConfigRow<unknown>): string {
  if (row.default === REQUIRED) return 'required';
  const text = defaultText(row);
  if (text === null) return 'unset';
  return text === '' ? 'empty' : `\`${text}\``;
}

function allowed(row: ConfigRow<unknown>): string {
  return row.rule?.allowed ?? '';
}
