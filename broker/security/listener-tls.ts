import type { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import type { Clock } from '../../shared/runtime/clock.ts';
import { checksHost, type ClientTls } from '../../shared/tls/client.ts';
import { readTerms, type Terms } from '../../shared/tls/context.ts';
import { missing, type TlsSource } from '../../shared/tls/settings.ts';
import type { ListenerView } from '../config/listener-view.ts';
import { checkReplacement } from './certificate-changes.ts';
import { listenerSource } from './listener-source.ts';

/** What a listener's TLS server is made with: Node's options, without those on protocols and time limits. */
export type ListenerTlsOptions = Pick<TlsOptions, 'requestCert' | 'rejectUnauthorized'> & Terms['options'];

/** All that follows from the settings and the stores they name; made anew as a whole. */
interface Material {
  readonly options: ListenerTlsOptions;
  readonly context: SecureContext;
  readonly checksHost: boolean;
  readonly certificate: X509Certificate;
  /** Differs when a setting or a file does. */
  readonly fingerprint: string;
}

/**
 * One listener's TLS: what it shows to clients and asks of them, and what this broker shows and asks when it connects to
 * others by it. Both come from the same settings, as in Kafka.
 */
export class ListenerTls implements ClientTls {
  readonly listener: string;
  readonly #clock: Clock;
  #material: Material;
  readonly #onChange: (() => void)[] = [];

  /** @throws ConfigError when a store is missing or cannot be used */
  constructor(settings: ListenerView, listener: string, clock: Clock) {
    this.listener = listener;
    this.#clock = clock;
    this.#material = this.#read(settings, fingerprint(settings, listener));
  }

  get options(): ListenerTlsOptions {
    return this.#material.options;
  }

  get context(): SecureContext {
    return this.#material.context;
  }

  get checksHost(): boolean {
    return this.#material.checksHost;
  }

  /** What this broker shows. */
  get certificate(): X509Certificate {
    return this.#material.certificate;
  }

  /** Calls back after a change: for connections from then on. */
  onChange(callback: () => void): void {
    this.#onChange.push(callback);
  }

  /** @throws ConfigError when the settings cannot take the place of those in force (Kafka: `SslFactory.validateReconfiguration`) */
  check(settings: ListenerView): void {
    this.#replacement(settings);
  }

  /** Puts settings in force, or files that have changed. True when anything has. @throws ConfigError; then nothing has */
  apply(settings: ListenerView): boolean {
    const material = this.#replacement(settings);
    if (material === null) return false;
    this.#material = material;
    for (const callback of this.#onChange) callback();
    return true;
  }

  #replacement(settings: ListenerView): Material | null {
    const print = fingerprint(settings, this.listener);
    if (print === this.#material.fingerprint) return null;
    const material = this.#read(settings, print);
    checkReplacement(settings, this.listener, this.#material.certificate, material.certificate);
    return material;
  }

  #read(settings: ListenerView, print: string): Material {
    const source = listenerSource(settings, this.listener);
    const terms = readTerms(source, this.#clock.now());
    if (terms.keyStore === null) throw noKeyStore(source, this.listener);
    const clientAuth = settings.get(this.listener, 'ssl.client.auth');
    return {
      options: { ...terms.options, requestCert: clientAuth !== 'none', rejectUnauthorized: clientAuth === 'required' },
      context: createSecureContext(terms.options),
      checksHost: checksHost(source),
      certificate: terms.keyStore.certificate,
      fingerprint: print,
    };
  }
}

function noKeyStore(source: TlsSource, listener: string) {
  const why = `the listener ${listener} speaks TLS, for which it needs a key and a certificate`;
  return missing(source, 'ssl.keystore.location', why);
}

function fingerprint(settings: ListenerView, listener: string): string {
  const { values } = listenerSource(settings, listener);
  const files = [values['ssl.keystore.location'], values['ssl.truststore.location']].map(fileVersion);
  return JSON.stringify([values, settings.get(listener, 'ssl.client.auth'), files]);
}

/** What tells one version of a file from the next; null when that cannot be seen, which reading it complains about. */
function fileVersion(location: string | null): readonly number[] | null {
  if (location === null) return null;
  try {
    const { mtimeMs, size, ino } = statSync(location);
    return [mtimeMs, size, ino];
  } catch {
    return null;
  }
}
