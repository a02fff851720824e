import { describe, expect, it } from 'vitest';
import { parseListeners, type ListenerSettings } from '../../../../broker/config/listeners.ts';

const DEFAULTS: ListenerSettings = {
  listeners: 'PLAINTEXT://:9092',
  'advertised.listeners': null,
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
  'inter.broker.listener.name': null,
  'security.inter.broker.protocol': 'PLAINTEXT',
  'control.plane.listener.name': null,
};

const parse = (given: Partial<ListenerSettings>) =>
  parseListeners(
    { ...DEFAULTS, ...given },
    { hostname: 'here', origin: key => (key in given ? `f, ${key}` : undefined) },
  );

const twoNets = {
  listeners: 'INTERNAL://:9093,EXTERNAL://0.0.0.0:9092',
  'advertised.listeners': 'EXTERNAL://example.com:19092, INTERNAL://b1:9093',
  'listener.security.protocol.map': 'INTERNAL:PLAINTEXT, external:PLAINTEXT',
  'inter.broker.listener.name': 'internal',
} as const;

const address = ({ name, host, port }: { name: string; host: string; port: number }) => `${name}://${host}:${port}`;

describe('parseListeners', () => {
  it('advertises the listeners themselves when nothing else is said, with the host name for an empty host', () => {
    expect(parse({})).toEqual({
      listeners: [{ name: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '', port: 9092 }],
      advertised: [{ name: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'here', port: 9092 }],
      interBroker: 'PLAINTEXT',
    });
  });

  it('tells inside from outside', () => {
    const { listeners, advertised, interBroker } = parse(twoNets);
    expect(listeners.map(address)).toEqual(['INTERNAL://:9093', 'EXTERNAL://0.0.0.0:9092']);
    expect(advertised.map(address)).toEqual(['EXTERNAL://example.com:19092', 'INTERNAL://b1:9093']);
    expect(interBroker).toBe('INTERNAL');
  });

  it('takes brackets off IPv6 addresses, upper-cases names and drops empty entries', () => {
    const listeners = 'plaintext://[::1]:9092,,';
    expect(parse({ listeners }).listeners.map(address)).toEqual(['PLAINTEXT://::1:9092']);
  });

  it('lets an IPv4 and an IPv6 listener share a port, and any number ask for a free one', () => {
    const map = { 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,B:PLAINTEXT' };
    expect(parse({ ...map, listeners: 'PLAINTEXT://127.0.0.1:9092,B://[::1]:9092' }).listeners).toHaveLength(2);
    expect(parse({ ...map, listeners: 'PLAINTEXT://a:0,B://a:0' }).listeners).toHaveLength(2);
  });

  it('lets advertised addresses share a port', () => {
    expect(parse({ ...twoNets, 'advertised.listeners': 'INTERNAL://a:1,EXTERNAL://a:1' }).advertised).toHaveLength(2);
  });

  it.each<[string, Partial<ListenerSettings>, RegExp]>([
    [
      'no port',
      { listeners: 'PLAINTEXT://localhost' },
      /listeners cannot be "PLAINTEXT:\/\/localhost" \(f, listeners\)/,
    ],
    ['a port too large', { listeners: 'PLAINTEXT://:65536' }, /NAME:\/\/host:port/],
    ['a bare address', { listeners: 'localhost:9092' }, /NAME:\/\/host:port/],
    ['half a bracket', { listeners: 'PLAINTEXT://[::1:9092' }, /NAME:\/\/host:port/],
    ['nothing', { listeners: ' , ' }, /NAME:\/\/host:port/],
    ['a name twice', { listeners: 'PLAINTEXT://:1,plaintext://:2' }, /different name/],
    ['a port twice', { ...twoNets, listeners: 'INTERNAL://:1,EXTERNAL://:1' }, /different port/],
    ['a name without protocol', { listeners: 'PLAINTEXT://:1,OTHER://:2' }, /OTHER lacks/],
    ['an unknown protocol', { 'listener.security.protocol.map': 'PLAINTEXT:CLEAR' }, /NAME:PROTOCOL/],
    ['a protocol not served', { listeners: 'SASL_SSL://:1' }, /SASL_SSL is not served yet/],
    [
      'an advertised stranger',
      { ...twoNets, 'advertised.listeners': 'INTERNAL://a:1,PLAINTEXT://a:2' },
      /PLAINTEXT lacks/,
    ],
    ['advertising every interface', { 'advertised.listeners': 'PLAINTEXT://0.0.0.0:9092' }, /clients can reach/],
    ['inheriting every interface', { listeners: 'PLAINTEXT://0.0.0.0:9092' }, /set advertised\.listeners/],
    ['nothing advertised', { 'advertised.listeners': '' }, /NAME:\/\/host:port/],
    [
      'no way between brokers',
      { ...twoNets, 'advertised.listeners': 'EXTERNAL://a:1' },
      /listener between brokers, INTERNAL/,
    ],
    ['no listener of the protocol', { ...twoNets, 'inter.broker.listener.name': null }, /between brokers, PLAINTEXT/],
    ['both ways to choose it', { ...twoNets, 'security.inter.broker.protocol': 'PLAINTEXT' }, /unset when/],
    [
      'an inter-broker name without protocol',
      { 'inter.broker.listener.name': 'X' },
      /inter\.broker\.listener\.name cannot be "X"/,
    ],
    [
      'a control plane on the inter-broker listener',
      { ...twoNets, 'control.plane.listener.name': 'INTERNAL' },
      /other than/,
    ],
    ['a control plane nobody knows', { ...twoNets, 'control.plane.listener.name': 'X' }, /control\.plane/],
  ])('refuses %s', (_, given, sentence) => {
    expect(() => parse(given)).toThrow(sentence);
  });

  it('refuses to advertise a name that it does not listen on', () => {
    const map = 'PLAINTEXT:PLAINTEXT,B:PLAINTEXT';
    expect(() =>
      parse({ 'listener.security.protocol.map': map, 'advertised.listeners': 'PLAINTEXT://a:1,B://a:2' }),
    ).toThrow(/which B is not/);
  });
});
