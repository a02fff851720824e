import { atLeast, matching, oneOf, someOf } from '../../../shared/config/rules.ts';
import {
  boolean,
  className,
  double,
  int,
  list,
  long,
  password,
  string,
  type ConfigTable,
} from '../../../shared/config/table.ts';
import { notYet, perBroker } from './scopes.ts';

const dynamic = { status: 'notYet', dynamic: 'per-broker' } as const;
const storeType = oneOf('JKS', 'PKCS12', 'PEM');
const JKS_TOO = 'JKS stands for PKCS12 too, as in Java; stores that are really JKS have to be converted.';

/** SASL, TLS, delegation tokens, and the encoding of passwords in ZooKeeper. */
export const SECURITY = {
  'sasl.enabled.mechanisms': list(['GSSAPI'], 'SASL mechanisms that clients may use.', dynamic),
  'sasl.mechanism.inter.broker.protocol': string('GSSAPI', 'SASL mechanism between brokers.', dynamic),
  'sasl.jaas.config': password(null, 'The JAAS line of a mechanism; needs listener and mechanism in front.', dynamic),
  'sasl.server.callback.handler.class': className(null, 'A class that checks credentials.', notYet),
  'sasl.server.max.receive.size': int(524288, 'Largest SASL message in bytes before authentication.', notYet),
  'sasl.kerberos.service.name': string(null, "The brokers' Kerberos service name.", dynamic),
  'sasl.kerberos.kinit.cmd': string('/usr/bin/kinit', 'Path of kinit.', dynamic),
  'sasl.kerberos.ticket.renew.window.factor': double(
    0.8,
    'Part of a ticket’s life after which it is renewed.',
    dynamic,
  ),
  'sasl.kerberos.ticket.renew.jitter': double(0.05, 'Random part added to that time.', dynamic),
  'sasl.kerberos.min.time.before.relogin': long(60_000, 'Milliseconds between Kerberos logins.', dynamic),
  'sasl.kerberos.principal.to.local.rules': list(
    ['DEFAULT'],
    'Rules from Kerberos principals to short names.',
    dynamic,
  ),
  'sasl.login.class': className(null, 'A class that logs in.', notYet),
  'sasl.login.callback.handler.class': className(null, 'A class that answers a login’s questions.', notYet),
  'sasl.client.callback.handler.class': className(null, 'A class that answers a SASL client’s questions.', notYet),
  'principal.builder.class': className(
    'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder',
    'A class that derives the principal of a connection.',
    dynamic,
  ),
  'security.providers': string(null, 'Java security providers; have no meaning here.', notYet),
  'ssl.client.auth': string('none', 'Whether clients show a certificate.', {
    ...perBroker,
    rule: oneOf('none', 'requested', 'required'),
  }),
  'ssl.keystore.type': string('JKS', `Kind of the key store. ${JKS_TOO}`, { ...perBroker, rule: storeType }),
  'ssl.keystore.location': string(null, 'File with the private key and its certificates.', perBroker),
  'ssl.keystore.password': password(null, 'Password of the key store.', perBroker),
  'ssl.key.password': password(null, 'Password of the private key in a PEM key store.', perBroker),
  'ssl.keystore.key': password(null, 'Private key as PEM text, in place of a file.', perBroker),
  'ssl.keystore.certificate.chain': password(null, 'Its certificate, and those above it, as PEM text.', perBroker),
  'ssl.truststore.type': string('JKS', `Kind of the trust store. ${JKS_TOO}`, { ...perBroker, rule: storeType }),
  'ssl.truststore.location': string(
    null,
    'File with the certificates to trust. Unset: the authorities that Node trusts.',
    perBroker,
  ),
  'ssl.truststore.password': password(null, 'Password of the trust store.', perBroker),
  'ssl.truststore.certificates': password(null, 'Certificates to trust as PEM text, in place of a file.', perBroker),
  'ssl.enabled.protocols': list(['TLSv1.2', 'TLSv1.3'], 'TLS versions to accept; a run without gaps.', {
    ...perBroker,
    rule: someOf('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'),
  }),
  'ssl.protocol': string('TLSv1.3', 'As in Kafka, `ssl.enabled.protocols` decides; taken for old files.', {
    ...perBroker,
    rule: oneOf('TLS', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'),
  }),
  'ssl.provider': string(null, 'Java security provider for TLS; has no meaning here.', dynamic),
  'ssl.cipher.suites': list(
    [],
    "Cipher suites to accept, by IANA's names or OpenSSL's; empty: the usual ones.",
    perBroker,
  ),
  'ssl.keymanager.algorithm': string('SunX509', 'Java key manager; has no meaning here.', dynamic),
  'ssl.trustmanager.algorithm': string('PKIX', 'Java trust manager; has no meaning here.', dynamic),
  'ssl.endpoint.identification.algorithm': string(
    'https',
    'Whether certificates of other brokers must name their hosts; empty: they need not.',
    { ...perBroker, rule: matching(/^(https)?$/i, 'https or empty') },
  ),
  'ssl.secure.random.implementation': string(null, 'Java source of randomness; has no meaning here.', dynamic),
  'ssl.engine.factory.class': className(null, 'Java TLS engine; has no meaning here.', dynamic),
  'ssl.principal.mapping.rules': string('DEFAULT', 'Rules from certificate subjects to short names.', notYet),
  'ssl.allow.dn.changes': boolean(false, 'Whether a certificate put in place of one in use may have another subject.'),
  'ssl.allow.san.changes': boolean(false, 'Whether it may lack host names of that one.'),
  'delegation.token.master.key': password(null, 'Old name of `delegation.token.secret.key`.', notYet),
  'delegation.token.secret.key': password(
    null,
    'Key by which delegation tokens are signed; the same on all brokers.',
    notYet,
  ),
  'delegation.token.max.lifetime.ms': long(604_800_000, 'Longest life of a delegation token.', {
    ...notYet,
    rule: atLeast(1),
  }),
  'delegation.token.expiry.time.ms': long(86_400_000, 'Time for which a delegation token is renewed.', {
    ...notYet,
    rule: atLeast(1),
  }),
  'delegation.token.expiry.check.interval.ms': long(3_600_000, 'How often expired delegation tokens are removed.', {
    ...notYet,
    rule: atLeast(1),
  }),
  'password.encoder.secret': password(null, 'Secret by which passwords are encrypted in ZooKeeper.', notYet),
  'password.encoder.old.secret': password(null, 'The secret used before, while it is being replaced.', notYet),
  'password.encoder.keyfactory.algorithm': string(null, 'Derives the key from the secret.', notYet),
  'password.encoder.cipher.algorithm': string('AES/CBC/PKCS5Padding', 'Cipher for those passwords.', notYet),
  'password.encoder.key.length': int(128, 'Key length in bits for those passwords.', { ...notYet, rule: atLeast(8) }),
  'password.encoder.iterations': int(4096, 'Rounds by which that key is derived.', { ...notYet, rule: atLeast(1024) }),
} satisfies ConfigTable;
