import { ConfigError } from '../../shared/config/config-error.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { clientTls, type ClientTls } from '../../shared/tls/client.ts';
import type { TlsSource } from '../../shared/tls/settings.ts';
import type { ClientConfigValues } from '../config.ts';
import { KafkaError } from '../errors.ts';

/**
 * How this client secures its connections; null when it does not.
 * @param now milliseconds since 1970
 * @throws KafkaError INVALID_CONFIG naming setting and file, when a store cannot be used
 */
export function tlsOf(config: ClientConfigValues, now: number): ClientTls | null {
  if (config['security.protocol'] !== 'SSL') return null;
  try {
    return clientTls(sourceOf(config), now);
  } catch (error) {
    if (error instanceof ConfigError) throw new KafkaError(ErrorCode.INVALID_CONFIG, error.message);
    throw error;
  }
}

/** Empty stands for "not set" where a text can be missing: properties files have no other way to say it. */
function sourceOf(config: ClientConfigValues): TlsSource {
  const orNull = (text: string) => (text === '' ? null : text);
  const list = (text: string) => text.split(',').flatMap(part => (part.trim() === '' ? [] : [part.trim()]));
  return {
    values: {
      'ssl.keystore.type': config['ssl.keystore.type'],
      'ssl.keystore.location': orNull(config['ssl.keystore.location']),
      'ssl.keystore.password': orNull(config['ssl.keystore.password']),
      'ssl.key.password': orNull(config['ssl.key.password']),
      'ssl.keystore.key': orNull(config['ssl.keystore.key']),
      'ssl.keystore.certificate.chain': orNull(config['ssl.keystore.certificate.chain']),
      'ssl.truststore.type': config['ssl.truststore.type'],
      'ssl.truststore.location': orNull(config['ssl.truststore.location']),
      'ssl.truststore.password': orNull(config['ssl.truststore.password']),
      'ssl.truststore.certificates': orNull(config['ssl.truststore.certificates']),
      'ssl.enabled.protocols': list(config['ssl.enabled.protocols']),
      'ssl.cipher.suites': list(config['ssl.cipher.suites']),
      'ssl.endpoint.identification.algorithm': config['ssl.endpoint.identification.algorithm'],
    },
    given: name => ({ name, origin: undefined }),
  };
}
