import type { TlsKey, TlsSource } from '../../shared/tls/settings.ts';
import type { ListenerView } from '../config/listener-view.ts';

/** The `ssl.*` settings of a listener: its own, by `listener.name.<listener>.`, before those of all. */
export function listenerSource(settings: ListenerView, listener: string): TlsSource {
  const get = <K extends TlsKey>(key: K) => settings.get(listener, key);
  return {
    values: {
      'ssl.keystore.type': get('ssl.keystore.type'),
      'ssl.keystore.location': get('ssl.keystore.location'),
      'ssl.keystore.password': get('ssl.keystore.password'),
      'ssl.key.password': get('ssl.key.password'),
      'ssl.keystore.key': get('ssl.keystore.key'),
      'ssl.keystore.certificate.chain': get('ssl.keystore.certificate.chain'),
      'ssl.truststore.type': get('ssl.truststore.type'),
      'ssl.truststore.location': get('ssl.truststore.location'),
      'ssl.truststore.password': get('ssl.truststore.password'),
      'ssl.truststore.certificates': get('ssl.truststore.certificates'),
      'ssl.enabled.protocols': get('ssl.enabled.protocols'),
      'ssl.cipher.suites': get('ssl.cipher.suites'),
      'ssl.endpoint.identification.algorithm': get('ssl.endpoint.identification.algorithm'),
    },
    given: key => settings.given(listener, key),
  };
}
