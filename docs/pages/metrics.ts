import { COUNTERS, GAUGES, REQUEST_TIME, TOPIC_COUNTERS, type MetricRow } from '../../broker/metrics/table.ts';
import { GENERATED, markdownTable } from './markdown.ts';

const INTRODUCTION = `# Metrics

Every listener serves \`GET /metrics\` in the text form of Prometheus. The names are those under which the usual rules of the
Prometheus JMX exporter show Kafka's own metrics, so that dashboards made for Kafka work; what Kafka does not have begins
with \`samsa_\`.
`;

/** docs/METRICS.md. */
export function metricsPage(): string {
  return `${GENERATED}
${INTRODUCTION}
## By topic

Counters with a label \`topic\`. The sample without the label counts all topics, also deleted ones and requests for topics
that do not exist; so sum over \`{topic!=""}\` or read the sample with \`{topic=""}\`, but do not add up both. The samples of a
topic go when the topic does.

${table(TOPIC_COUNTERS)}

## Counters

${table(COUNTERS)}

## Gauges

${table(GAUGES)}

## Request times

\`${REQUEST_TIME.name}\`, a histogram with the label \`request\` (the name of the API): ${lowerFirst(REQUEST_TIME.help)} A fetch
that waits for data takes as long as the client let it wait.

## Process

\`process_*\` and \`nodejs_*\`, as Node's Prometheus client library shows them: CPU, memory, open files, garbage collection. Watch
\`nodejs_eventloop_lag_max_seconds\`: a broker whose loop stands still as long as \`zookeeper.session.timeout.ms\` is taken for
dead.
`;
}

function table(rows: Readonly<Record<string, MetricRow>>): string {
  return markdownTable(
    ['Metric', 'Meaning'],
    Object.values(rows).map(({ name, help }) => [`\`${name}\``, help]),
  );
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
