import { atLeast, matching, type Rule } from '../../../shared/config/rules.ts';
import {
  boolean,
  className,
  int,
  list,
  password,
  REQUIRED,
  string,
  type ConfigTable,
} from '../../../shared/config/table.ts';
import { notYet } from './scopes.ts';

/** Refused instead of ignored: whoever asks for TLS must not get clear text. The ZooKeeper client library has no TLS. */
const noTls: Rule<boolean> = {
  allowed: 'false: TLS towards ZooKeeper is not supported here',
  accepts: value => !value,
};

/** Who this broker is, and where its ZooKeeper is. */
export const IDENTITY = {
  'broker.id': int(
    -1,
    'Number of this broker in the cluster. -1: the one kept in `meta.properties`, else a generated one.',
    {
      rule: atLeast(-1),
    },
  ),
  'node.id': int(-1, 'Another name of `broker.id`. When both are given they must agree.', { rule: atLeast(-1) }),
  'broker.id.generation.enable': boolean(
    true,
    'Whether a broker without an id gets one from ZooKeeper, above `reserved.broker.max.id`.',
  ),
  'reserved.broker.max.id': int(1000, 'The largest id that may be given by hand while ids are also generated.', {
    rule: atLeast(0),
  }),
  'broker.rack': string(
    null,
    'The rack (or zone) the broker stands in; replicas of a partition are spread over racks.',
  ),
  'process.roles': string('', 'Belongs to Kafka without ZooKeeper (KRaft) and must stay empty.', {
    rule: matching(/^$/, 'empty: this broker is coordinated by ZooKeeper and knows no KRaft roles'),
  }),
  'zookeeper.connect': string(
    REQUIRED,
    'ZooKeeper servers as `host:port,host:port`, optionally followed by a path under which the cluster keeps its data.',
    { rule: matching(/^[^\s/,]/, 'a list of host:port, optionally followed by a path such as /kafka') },
  ),
  'zookeeper.session.timeout.ms': int(
    18000,
    'Milliseconds without a sign of life after which ZooKeeper gives the broker up, which is when its leaders move.',
  ),
  'zookeeper.connection.timeout.ms': int(
    null,
    'Longest wait for the first connection to ZooKeeper, in milliseconds. Unset: `zookeeper.session.timeout.ms`.',
  ),
  'zookeeper.max.in.flight.requests': int(10, 'Requests to ZooKeeper that may be under way at the same time.', {
    rule: atLeast(1),
  }),
  'zookeeper.set.acl': boolean(false, 'Create znodes that only the brokers may change.', notYet),
  'zookeeper.clientCnxnSocket': string(null, 'Java class of the ZooKeeper connection; has no meaning here.', notYet),
  'zookeeper.ssl.client.enable': boolean(false, 'TLS towards ZooKeeper.', { rule: noTls }),
  'zookeeper.ssl.protocol': string('TLSv1.2', 'TLS version towards ZooKeeper.', notYet),
  'zookeeper.ssl.enabled.protocols': list(null, 'TLS versions allowed towards ZooKeeper.', notYet),
  'zookeeper.ssl.cipher.suites': list(null, 'Cipher suites allowed towards ZooKeeper.', notYet),
  'zookeeper.ssl.endpoint.identification.algorithm': string(
    'HTTPS',
    'How the host name in the certificate of ZooKeeper is checked; empty: not at all.',
    notYet,
  ),
  'zookeeper.ssl.keystore.location': string(null, 'Key store file for TLS towards ZooKeeper.', notYet),
  'zookeeper.ssl.keystore.password': password(null, 'Password of that key store.', notYet),
  'zookeeper.ssl.keystore.type': string(null, 'Kind of that key store.', notYet),
  'zookeeper.ssl.truststore.location': string(null, 'Trust store file for TLS towards ZooKeeper.', notYet),
  'zookeeper.ssl.truststore.password': password(null, 'Password of that trust store.', notYet),
  'zookeeper.ssl.truststore.type': string(null, 'Kind of that trust store.', notYet),
  'zookeeper.ssl.crl.enable': boolean(false, 'Check certificate revocation lists towards ZooKeeper.', notYet),
  'zookeeper.ssl.ocsp.enable': boolean(false, 'Check certificates of ZooKeeper by OCSP.', notYet),
  'inter.broker.protocol.version': string(
    '3.9-IV0',
    'The release whose messages and formats brokers use among themselves.',
    { ...notYet, rule: matching(/^[0-4]\.\d+(\.\d+)?(\.x)?(-IV\d+)?$/, 'a Kafka release such as 3.9 or 3.9-IV0') },
  ),
  'authorizer.class.name': string('', 'The authorizer that checks ACLs; empty: everybody may do everything.', notYet),
  'super.users': string('', 'Principals that may do everything, separated by semicolons.', notYet),
  'allow.everyone.if.no.acl.found': boolean(false, 'Let everybody use a resource for which no ACL exists.', notYet),
  'config.providers': list([], 'Names of the providers that expand references in values.', notYet),
  'auto.include.jmx.reporter': boolean(true, 'Belongs to the Java metrics; has no meaning here.', notYet),
  'create.topic.policy.class.name': className(null, 'A class that may refuse the creation of a topic.', notYet),
  'alter.config.policy.class.name': className(null, 'A class that may refuse a change of settings.', notYet),
} satisfies ConfigTable;
