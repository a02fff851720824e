import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BrokerConfig } from '../../../../broker/config/broker-config.ts';
import { Security } from '../../../../broker/security/security.ts';
import { systemClock } from '../../../../shared/runtime/clock.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';
import { temporaryDirectory } from '../../shared/tls/support.ts';
import { keepingLogger } from '../network/harness.ts';

const directory = temporaryDirectory();
const authority = CertificateAuthority.create(join(directory, 'authority'), 'Authority');
const first = authority.issue('broker');
const renewed = authority.issue('broker');
const other = authority.issue('other');
const moved = authority.issue('broker', { hosts: ['elsewhere.example'] });

const LOCATION = 'listener.name.secure.ssl.keystore.location';

function load(settings: Record<string, string> = {}) {
  const all = {
    'zookeeper.connect': 'unused',
    listeners: 'SECURE://h:1,OPEN://h:2',
    'listener.security.protocol.map': 'SECURE:SSL,OPEN:PLAINTEXT',
    'inter.broker.listener.name': 'SECURE',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': first.pemFile,
    ...settings,
  };
  const text = Object.entries(all).map(([key, value]) => `${key}=${value}\n`);
  const config = BrokerConfig.load({ text: text.join('') });
  const { logger, lines } = keepingLogger();
  const security = Security.load(config, systemClock, logger);
  const serial = () => security.listener('SECURE')!.certificate.serialNumber;
  return { config, security, serial, lines };
}

test('a listener without TLS has none; the one between brokers serves for connecting too', () => {
  const { security } = load();
  expect(security.listener('OPEN')).toBeNull();
  expect(security.interBroker).toBe(security.listener('SECURE'));
});

test("a listener's own settings go before those of all", () => {
  const { security } = load({ 'ssl.keystore.location': '/no/such.pem', [LOCATION]: first.pemFile });
  expect(security.listener('SECURE')!.certificate.subject).toContain('CN=broker');
  expect(() => load({ [LOCATION]: '/no/such.pem' })).toThrow(
    `${LOCATION} cannot be "/no/such.pem" (server.properties, line 7): there is no such file.`,
  );
});

test('a bad value of a listener’s own setting is refused like any other', () => {
  expect(() => load({ 'listener.name.secure.ssl.client.auth': 'perhaps' })).toThrow(
    /^listener\.name\.secure\.ssl\.client\.auth cannot be "perhaps" .*: it must be one of none, requested, required\.$/,
  );
});

describe('while the broker runs', () => {
  test('another key store takes the place of the first', () => {
    const { config, security, serial, lines } = load();
    const before = serial();
    let changes = 0;
    security.listener('SECURE')!.onChange(() => changes++);
    config.validateDynamic('broker', { [LOCATION]: renewed.pemFile });
    expect(serial()).toBe(before);
    expect(config.setDynamic('broker', { [LOCATION]: renewed.pemFile })).toEqual([]);
    expect(serial()).not.toBe(before);
    expect(changes).toBe(1);
    expect(lines).toEqual(['listener SECURE has new TLS settings, for connections from now on']);
    config.setDynamic('broker', {});
    expect(serial()).toBe(before);
  });

  test('the same name for a file that has changed makes it read again, and only then', () => {
    const file = join(directory, 'renewed-in-place.pem');
    copyFileSync(first.pemFile, file);
    const { config, serial, lines } = load({ 'ssl.keystore.location': file });
    const before = serial();
    config.setDynamic('broker', {});
    expect(lines).toEqual([]);
    copyFileSync(renewed.pemFile, file);
    config.setDynamic('broker', {});
    expect(serial()).not.toBe(before);
  });

  test('what clients are asked for can change', () => {
    const { config, security } = load();
    expect(security.listener('SECURE')!.options).toMatchObject({ requestCert: false, rejectUnauthorized: false });
    config.setDynamic('broker', { 'listener.name.secure.ssl.client.auth': 'required' });
    expect(security.listener('SECURE')!.options).toMatchObject({ requestCert: true, rejectUnauthorized: true });
  });

  test.each([
    ['no such file', '/no/such.pem', /there is no such file\.$/],
    [
      'another subject',
      other.pemFile,
      /O=Samsa, CN=other in place of O=Samsa, CN=broker, which ssl\.allow\.dn\.changes/,
    ],
    ['fewer hosts', moved.pemFile, /without DNS:localhost, IP Address:127\.0\.0\.1, which ssl\.allow\.san\.changes/],
  ])('%s is refused, and what is found in ZooKeeper all the same is passed over', (_, location, sentence) => {
    const { config, serial, lines } = load();
    const before = serial();
    expect(() => config.validateDynamic('broker', { [LOCATION]: location })).toThrow(sentence);
    config.setDynamic('broker', { [LOCATION]: location });
    expect(serial()).toBe(before);
    expect(lines).toEqual([expect.stringMatching(/^TLS stays as it is: /)]);
  });

  test('another subject and other hosts, where they are allowed', () => {
    const { config, serial } = load({ 'ssl.allow.dn.changes': 'true', 'ssl.allow.san.changes': 'true' });
    const before = serial();
    for (const { pemFile } of [other, moved]) config.setDynamic('broker', { [LOCATION]: pemFile });
    expect(serial()).not.toBe(before);
  });
});
