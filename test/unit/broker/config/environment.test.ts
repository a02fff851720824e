import { expect, it } from 'vitest';
import { readEnvironment } from '../../../../broker/config/environment.ts';

const read = (environment: Record<string, string>) =>
  Object.fromEntries(readEnvironment(environment).map(({ key, value }) => [key, value]));

it('maps variables to keys as the images do', () => {
  expect(
    read({
      KAFKA_BROKER_ID: '1',
      KAFKA_ZOOKEEPER_CONNECT: 'zk:2181',
      KAFKA_LOG_DIRS: '/data',
      KAFKA_LISTENERS: 'A://:1',
      KAFKA_ADVERTISED_LISTENERS: 'A://h:1',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'A:PLAINTEXT',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'A',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    }),
  ).toEqual({
    'broker.id': '1',
    'zookeeper.connect': 'zk:2181',
    'log.dirs': '/data',
    listeners: 'A://:1',
    'advertised.listeners': 'A://h:1',
    'listener.security.protocol.map': 'A:PLAINTEXT',
    'inter.broker.listener.name': 'A',
    'auto.create.topics.enable': 'false',
  });
});

it('takes __ for _ and ___ for -, also in a row', () => {
  expect(read({ KAFKA_A__B___C_D: '1' })).toEqual({ 'a_b-c.d': '1' });
});

it('finds keys with capitals', () => {
  expect(read({ KAFKA_ZOOKEEPER_CLIENTCNXNSOCKET: 'x' })).toEqual({ 'zookeeper.clientCnxnSocket': 'x' });
});

it('leaves alone what scripts, images and container links use', () => {
  expect(
    read({
      KAFKA_HEAP_OPTS: '-Xmx1G',
      KAFKA_OPTS: '',
      KAFKA_LOG4J_OPTS: '',
      KAFKA_JMX_PORT: '1',
      KAFKA_PORT: 'tcp://10.0.0.1:9092',
      KAFKA_PORT_9092_TCP_ADDR: '10.0.0.1',
      KAFKA_SERVICE_HOST: '10.0.0.1',
      KAFKA_0_SERVICE_PORT_CLIENT: '9092',
      KAFKA_: 'x',
      PATH: '/bin',
      SAMSA_LOG_LEVEL: 'debug',
    }),
  ).toEqual({});
});
