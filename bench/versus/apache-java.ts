import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const CLASS_PATH = join(ROOT, '.tooling/clients/apache-3.9/*');
const LOGGING = `-Dlog4j.configuration=file:${join(ROOT, 'test/conformance/apache/log4j.properties')}`;

/** KAFKA_JVM_PERFORMANCE_OPTS of Kafka's kafka-run-class.sh, which brokers and tools share. */
const PERFORMANCE = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-XX:MaxInlineLevel=15',
  '-Djava.awt.headless=true',
];

/** What runs an Apache broker as its kafka-server-start.sh does; the properties file follows. */
export function apacheBroker(): string[] {
  return ['java', '-Xmx1G', '-Xms1G', ...PERFORMANCE, LOGGING, '-cp', CLASS_PATH, 'kafka.Kafka'];
}

/** What follows `java` to run one of Apache's tools as its script does (512 MB: kafka-producer-perf-test.sh). */
export function apacheTool(main: string): string[] {
  return ['-Xmx512M', ...PERFORMANCE, LOGGING, '-cp', CLASS_PATH, main];
}
