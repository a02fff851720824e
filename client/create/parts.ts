import type { Connector } from '../../shared/connection/connection.ts';
import { Http2Connector } from '../../shared/connection/http2.ts';
import { KafkaConnector } from '../../shared/connection/kafka.ts';
import { parseAddresses } from '../addresses.ts';
import { Cluster } from '../cluster/cluster.ts';
import { resolveConfig, type ClientConfigValues, type ClientSettings } from '../config.ts';
import { tlsOf } from './tls.ts';
import { systemRuntime, type ClientRuntime } from '../runtime.ts';

/** What a caller may put in place of the usual: another transport, virtual time. */
export interface ClientParts {
  readonly connector?: Connector;
  readonly runtime?: Partial<ClientRuntime>;
}

/** Checks the settings and makes what each kind of client stands on. @throws KafkaError for a bad setting */
export function build(
  kind: 'producer' | 'consumer' | 'admin',
  settings: ClientSettings,
  parts: ClientParts,
): { config: ClientConfigValues; cluster: Cluster } {
  const { values: config, warnings } = resolveConfig(kind, settings);
  const runtime = { ...systemRuntime, ...parts.runtime };
  for (const warning of warnings) runtime.logger.warn(warning);
  const cluster = new Cluster(
    {
      bootstrap: parts.connector === undefined ? parseAddresses(config['bootstrap.servers']) : bootstrapOrNone(config),
      connector: parts.connector ?? connectorOf(kind, config, runtime),
      metadataMaxAgeMs: config['metadata.max.age.ms'],
      retryBackoffMs: config['retry.backoff.ms'],
      retryBackoffMaxMs: config['retry.backoff.max.ms'],
      reconnectBackoffMs: config['reconnect.backoff.ms'],
      reconnectBackoffMaxMs: config['reconnect.backoff.max.ms'],
      allowAutoCreate: kind === 'producer' || (kind === 'consumer' && config['allow.auto.create.topics']),
    },
    runtime,
  );
  return { config, cluster };
}

/** A connector of the caller's own may need no address: then any will do. */
function bootstrapOrNone(config: ClientConfigValues) {
  const list = config['bootstrap.servers'];
  return list === '' ? [{ host: 'local', port: 1 }] : parseAddresses(list);
}

function connectorOf(kind: string, config: ClientConfigValues, runtime: ClientRuntime): Connector {
  const options = {
    clientId: config['client.id'] === '' ? `${kind}-1` : config['client.id'],
    requestTimeoutMs: config['request.timeout.ms'],
    connectTimeoutMs: config['socket.connection.setup.timeout.ms'],
    timers: runtime.timers,
    tls: tlsOf(config, runtime.clock.now()),
  };
  return config['samsa.dialect'] === 'kafka'
    ? new KafkaConnector({ ...options, negotiate: true })
    : new Http2Connector(options);
}
