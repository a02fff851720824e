import { atLeast, matching, oneOf, type Rule } from '../../../shared/config/rules.ts';
import { int, long, string, type ConfigTable } from '../../../shared/config/table.ts';
import { MAX_INT } from '../../../shared/config/types.ts';
import { clusterWide, notYet, perBroker } from './scopes.ts';

/** An HTTP opening read as an int32 is larger, so that the first four bytes tell a Kafka frame from HTTP. */
const LARGEST_FRAME = 2 ** 30 - 1;

const frameSize: Rule<number> = {
  allowed: `between 1 and ${LARGEST_FRAME}, so that a frame cannot be taken for HTTP`,
  accepts: value => value >= 1 && value <= LARGEST_FRAME,
};

/** Listeners, connections, and the limits that protect them. */
export const NETWORK = {
  listeners: string(
    'PLAINTEXT://:9092',
    'Where to listen: `NAME://host:port` entries separated by commas. An empty host or 0.0.0.0 means every interface. ' +
      'Every listener serves HTTP/2, HTTP/1.1 and the Kafka protocol on the same port.',
    perBroker,
  ),
  'advertised.listeners': string(
    null,
    'Addresses that clients and the other brokers are told, one for each listener name. Unset: `listeners`, with the ' +
      "machine's host name where the host is empty.",
    perBroker,
  ),
  'listener.security.protocol.map': string(
    'PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    'Security protocol of each listener name, as `NAME:PROTOCOL` entries separated by commas.',
    perBroker,
  ),
  'inter.broker.listener.name': string(null, 'Listener by which brokers talk to each other.'),
  'security.inter.broker.protocol': string(
    'PLAINTEXT',
    'Chooses the listener between brokers by its security protocol; not together with `inter.broker.listener.name`.',
    { rule: oneOf('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL') },
  ),
  'control.plane.listener.name': string(null, 'A listener of its own for requests of the controller.', notYet),
  'num.network.threads': int(3, 'Network threads. One event loop does this work here.', {
    ...clusterWide,
    ...notYet,
    rule: atLeast(1),
  }),
  'num.io.threads': int(8, 'Threads for disk reads and flushes, beside the event loop.', {
    ...clusterWide,
    rule: atLeast(1),
  }),
  'background.threads': int(10, 'Threads for background work. The event loop does it here.', {
    ...clusterWide,
    ...notYet,
    rule: atLeast(1),
  }),
  'queued.max.requests': int(500, 'Requests under way in the whole broker before it stops reading further ones.', {
    rule: atLeast(1),
    status: 'notYet',
  }),
  'queued.max.request.bytes': long(
    -1,
    'Bytes of requests under way before the broker stops reading. -1 stands for 64 MiB here; one request that is ' +
      'larger still gets through alone.',
  ),
  'socket.request.max.bytes': int(100 * 1024 * 1024, 'Largest request in bytes; a larger one closes its connection.', {
    rule: frameSize,
  }),
  'socket.send.buffer.bytes': int(102400, 'Send buffer of sockets in bytes; -1: as the system has it.', notYet),
  'socket.receive.buffer.bytes': int(102400, 'Receive buffer of sockets in bytes; -1: as the system has it.', notYet),
  'socket.listen.backlog.size': int(50, 'Connections that may wait to be accepted.', { rule: atLeast(1) }),
  'max.connections': int(MAX_INT, 'Connections to this broker.', { ...clusterWide, rule: atLeast(0) }),
  'max.connections.per.ip': int(MAX_INT, 'Connections from one client address. 0 only with overrides.', {
    ...clusterWide,
    rule: atLeast(0),
  }),
  'max.connections.per.ip.overrides': string(
    '',
    'Addresses with a limit of their own, as `host:count` entries separated by commas.',
    { ...clusterWide, rule: matching(/^$|^[^,]+:\d+(\s*,\s*[^,]+:\d+)*$/, 'a list of host:count') },
  ),
  'max.connection.creation.rate': int(MAX_INT, 'New connections a second.', {
    ...clusterWide,
    ...notYet,
    rule: atLeast(0),
  }),
  'connections.max.idle.ms': long(600_000, 'Milliseconds without a request after which a connection is closed.'),
  'connection.failed.authentication.delay.ms': int(
    100,
    'Milliseconds for which a failed authentication is left waiting before its connection closes.',
    { ...notYet, rule: atLeast(0) },
  ),
  'connections.max.reauth.ms': long(0, 'How long a SASL session lasts, in milliseconds; 0: for ever.', notYet),
  'request.timeout.ms': int(30_000, 'Milliseconds within which a request must be answered or completed.'),
  'socket.connection.setup.timeout.ms': long(
    10_000,
    'Milliseconds within which a connection to another broker must stand.',
  ),
  'socket.connection.setup.timeout.max.ms': long(
    30_000,
    'The most to which that time grows when attempts keep failing.',
    notYet,
  ),
} satisfies ConfigTable;
