import type { X509Certificate } from 'node:crypto';
import { ConfigError } from '../../shared/config/config-error.ts';
import type { ListenerView } from '../config/listener-view.ts';

/**
 * Whether a certificate may take the place of another while the broker runs: it has to have the same subject and all
 * names of hosts, so that who trusted the one goes on with the other (Kafka: `SslFactory.CertificateEntries`).
 * @throws ConfigError naming the setting that would allow it
 */
export function checkReplacement(
  settings: ListenerView,
  listener: string,
  before: X509Certificate,
  after: X509Certificate,
): void {
  const { name } = settings.given(listener, 'ssl.keystore.location');
  if (before.subject !== after.subject && !settings.get(listener, 'ssl.allow.dn.changes')) {
    const subjects = `${oneLine(after.subject)} in place of ${oneLine(before.subject)}`;
    throw new ConfigError(name, `${name} has a certificate of ${subjects}, which ssl.allow.dn.changes does not allow.`);
  }
  const lost = hostNames(before).filter(host => !hostNames(after).includes(host));
  if (lost.length > 0 && !settings.get(listener, 'ssl.allow.san.changes')) {
    const names = lost.join(', ');
    throw new ConfigError(
      name,
      `${name} has a certificate without ${names}, which ssl.allow.san.changes does not allow.`,
    );
  }
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ');
}

function hostNames({ subjectAltName }: X509Certificate): string[] {
  return subjectAltName?.split(', ') ?? [];
}
