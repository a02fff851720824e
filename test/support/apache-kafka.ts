import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run, type Outcome } from './run.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The releases of Apache Kafka that bin/setup brings for the tests (test/conformance/apache/pom-*.xml). */
export type ApacheRelease = '3.9' | '2.8';

const jarsOf = (release: ApacheRelease): string => join(ROOT, '.tooling/clients', `apache-${release}`);

/** Where bin/setup says why it could not bring a release; null when the release is here, or was never asked for. */
export function absenceOf(release: ApacheRelease): string | null {
  const word = `${jarsOf(release)}.missing`;
  return existsSync(word) ? word : null;
}

/** All classes of a release, as Java's `-cp` wants them. */
export function javaClassPath(release: ApacheRelease): string {
  return join(jarsOf(release), '*');
}

/** What `java` is told where short starts matter more than speed later. */
export const SHORT_LIFE = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx256m'] as const;

/** What follows `java` to run a class of a release. */
export function javaArguments(release: ApacheRelease, main: string): string[] {
  return [
    ...SHORT_LIFE,
    `-Dlog4j.configuration=file:${join(ROOT, 'test/conformance/apache/log4j.properties')}`,
    '-cp',
    javaClassPath(release),
    main,
  ];
}

/** Runs a class of Apache Kafka to its end, as its own shell scripts would. */
export function apacheTool(
  release: ApacheRelease,
  main: string,
  args: readonly string[],
  options?: { readonly input?: string; readonly timeoutMs?: number },
): Promise<Outcome> {
  return run('java', [...javaArguments(release, main), ...args], options);
}

/** The name of a group of tests, with the reason when they have to be skipped. */
export function whereAbsent(release: ApacheRelease, name: string): string {
  const word = absenceOf(release);
  return word === null ? name : `${name}: not here, its registry was out of reach (${word})`;
}
