import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBroker, encodeBroker, type BrokerRegistration } from '../../../../../shared/zookeeper/znodes/broker.ts';
import { decodeClusterId, encodeClusterId } from '../../../../../shared/zookeeper/znodes/cluster-id.ts';
import {
  decodeConfig,
  decodeConfigChange,
  encodeConfig,
  encodeConfigChange,
} from '../../../../../shared/zookeeper/znodes/config.ts';
import {
  decodeController,
  decodeControllerEpoch,
  encodeController,
  encodeControllerEpoch,
} from '../../../../../shared/zookeeper/znodes/controller.ts';
import { decodeFeatures, encodeFeatures } from '../../../../../shared/zookeeper/znodes/feature.ts';
import {
  decodeLogDirEvent,
  decodePartitionList,
  encodeLogDirEvent,
  encodePartitionList,
} from '../../../../../shared/zookeeper/znodes/notifications.ts';
import { MalformedZnodeError } from '../../../../../shared/zookeeper/znodes/json.ts';
import {
  decodePartitionState,
  encodePartitionState,
  type LeaderAndIsr,
} from '../../../../../shared/zookeeper/znodes/partition-state.ts';
import { decodeTopic, encodeTopic, type TopicAssignment } from '../../../../../shared/zookeeper/znodes/topic.ts';
import { runs } from '../../../../support/property-runs.ts';

const data = (text: string) => Buffer.from(text);
const id = fc.nat({ max: 2 ** 31 - 1 });
const ids = fc.uniqueArray(id, { maxLength: 6 });
const name = fc.stringMatching(/^[a-zA-Z0-9._-]{1,20}$/);
const text = fc.string({ unit: 'grapheme' });
const partitions = fc.array(fc.record({ topic: name, partition: id }), { maxLength: 5 });

const registrations: fc.Arbitrary<BrokerRegistration> = fc.record({
  id,
  endpoints: fc.uniqueArray(
    fc.record({
      listenerName: fc.stringMatching(/^[A-Z][A-Z0-9_]{0,10}$/),
      securityProtocol: fc.constantFrom('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
      host: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), fc.constant('')),
      port: fc.integer({ min: 0, max: 65535 }),
    }),
    { selector: endpoint => endpoint.listenerName, maxLength: 4 },
  ),
  rack: fc.option(text),
  jmxPort: fc.integer({ min: -1, max: 65535 }),
  timestampMs: fc.maxSafeNat(),
});

const assignments: fc.Arbitrary<TopicAssignment> = fc.record({
  topicId: fc.option(fc.stringMatching(/^[A-Za-z0-9_-]{22}$/)),
  partitions: fc
    .dictionary(fc.nat({ max: 5000 }).map(String), fc.record({ replicas: ids, adding: ids, removing: ids }))
    .map(entries => new Map(Object.entries(entries).map(([key, value]) => [Number(key), value]))),
});

const states: fc.Arbitrary<LeaderAndIsr> = fc.record({
  leader: fc.integer({ min: -1, max: 1000 }),
  leaderEpoch: id,
  isr: ids,
  controllerEpoch: id,
  partitionEpoch: id,
  recovering: fc.boolean(),
});

describe('what is written is read again', () => {
  it.each<[string, fc.Arbitrary<unknown>, (value: never) => unknown]>([
    ['broker', registrations, (value: BrokerRegistration) => decodeBroker(value.id, encodeBroker(value))],
    ['topic', assignments, (value: TopicAssignment) => decodeTopic(encodeTopic(value))],
    ['partition state', states, (v: LeaderAndIsr) => decodePartitionState(encodePartitionState(v), v.partitionEpoch)],
    ['controller', id, (value: number) => decodeController(encodeController(value, 0))],
    ['controller epoch', id, (value: number) => decodeControllerEpoch(encodeControllerEpoch(value))],
    ['cluster id', text, (value: string) => decodeClusterId(encodeClusterId(value))],
    [
      'config',
      fc.array(fc.tuple(name, text)).map(entries => new Map(entries)),
      (value: Map<string, string>) => decodeConfig('/config/topics/t', encodeConfig(value)),
    ],
    [
      'partition list',
      partitions,
      (value: { topic: string; partition: number }[]) => decodePartitionList(encodePartitionList(value)),
    ],
    ['log dir event', id, (value: number) => decodeLogDirEvent(encodeLogDirEvent(value))],
    [
      'features',
      fc.record({ enabled: fc.boolean(), levels: fc.array(fc.tuple(name, id)).map(entries => new Map(entries)) }),
      (value: { enabled: boolean; levels: Map<string, number> }) => decodeFeatures(encodeFeatures(value)),
    ],
  ])('%s', (_name, values, roundTrip) => {
    fc.assert(
      fc.property(values, value => {
        expect(roundTrip(value as never)).toEqual(value);
      }),
    );
  });

  it('config change', () => {
    const change = { type: 'users', entity: 'alice/clients/a%20b' } as const;
    expect(decodeConfigChange(encodeConfigChange(change))).toEqual(change);
  });
});

describe('whatever lies there', () => {
  const decoders: [string, (bytes: Buffer | null) => unknown][] = [
    ['broker', bytes => decodeBroker(1, bytes)],
    ['topic', decodeTopic],
    ['partition state', bytes => decodePartitionState(bytes, 0)],
    ['controller', decodeController],
    ['controller epoch', decodeControllerEpoch],
    ['cluster id', decodeClusterId],
    ['config', bytes => decodeConfig('/config/topics/t', bytes)],
    ['config change', decodeConfigChange],
    ['partition list', decodePartitionList],
    ['log dir event', decodeLogDirEvent],
    ['features', decodeFeatures],
  ];
  const rubbish = fc.oneof(
    fc.constant(null),
    fc.uint8Array().map(bytes => Buffer.from(bytes)),
    fc.json().map(data),
    fc
      .dictionary(
        fc.constantFrom(
          'version',
          'partitions',
          'endpoints',
          'config',
          'isr',
          'leader',
          'features',
          'status',
          'entity_path',
          'host',
        ),
        fc.jsonValue(),
      )
      .map(object => data(JSON.stringify(object))),
  );

  it.each(decoders)('%s: reads it, or names the znode', (_name, decode) => {
    fc.assert(
      fc.property(rubbish, bytes => {
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedZnodeError);
          expect((error as Error).message).toMatch(/^znode \/[a-z]/);
        }
      }),
      runs(500),
    );
  });
});

describe('broker registrations of older versions', () => {
  const plain = { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'h', port: 9092 };

  it.each<[string, string, Partial<BrokerRegistration>]>([
    [
      '1',
      '{"version":1,"host":"h","port":9092,"jmx_port":9999,"timestamp":"7"}',
      { endpoints: [plain], jmxPort: 9999, rack: null },
    ],
    [
      '2: a listener is named as its protocol',
      '{"version":2,"host":"h","port":9092,"jmx_port":-1,"timestamp":"7","endpoints":["PLAINTEXT://h:9092","SSL://h:9093"]}',
      { endpoints: [plain, { listenerName: 'SSL', securityProtocol: 'SSL', host: 'h', port: 9093 }] },
    ],
    [
      '3: a rack',
      '{"version":3,"endpoints":["PLAINTEXT://h:9092"],"rack":"r","timestamp":"7"}',
      { endpoints: [plain], rack: 'r' },
    ],
    [
      '4: names and protocols',
      '{"version":4,"endpoints":["client://[::1]:9092"],"listener_security_protocol_map":{"client":"SSL"},"timestamp":"7"}',
      { endpoints: [{ listenerName: 'CLIENT', securityProtocol: 'SSL', host: '::1', port: 9092 }] },
    ],
    [
      '6, unknown yet: as 5',
      '{"version":6,"endpoints":["PLAINTEXT://h:9092"],"new":true,"timestamp":"7"}',
      { endpoints: [plain] },
    ],
  ])('%s', (_version, json, expected) => {
    expect(decodeBroker(3, data(json))).toMatchObject({ id: 3, timestampMs: 7, ...expected });
  });

  it.each([
    ['{"version":0,"host":"h","port":1}', 'unsupported version 0'],
    ['{"version":5,"endpoints":["h:9092"]}', 'endpoint "h:9092" is not LISTENER://host:port'],
    [
      '{"version":5,"endpoints":["A://h:1"],"listener_security_protocol_map":{}}',
      'no security protocol for listener A',
    ],
    ['{"version":1,"host":null,"port":-1}', 'host or port missing'],
  ])('refuses %s', (json, problem) => {
    expect(() => decodeBroker(3, data(json))).toThrow(`znode /brokers/ids/3: ${problem}`);
  });
});

describe('other forms', () => {
  it('reads /controller of before and after KRaft', () => {
    expect(decodeController(data('{"version":1,"brokerid":3,"timestamp":"7"}'))).toBe(3);
    expect(decodeController(data('{"version":2,"brokerid":3,"timestamp":"7","kraftControllerEpoch":-1}'))).toBe(3);
  });

  it('writes a recovery state only while recovering', () => {
    const state = { leader: 1, leaderEpoch: 12, isr: [1, 3], controllerEpoch: 7, partitionEpoch: 4, recovering: false };
    expect(JSON.parse(encodePartitionState(state).toString())).toEqual({
      version: 1,
      leader: 1,
      leader_epoch: 12,
      isr: [1, 3],
      controller_epoch: 7,
    });
    expect(JSON.parse(encodePartitionState({ ...state, recovering: true }).toString())).toMatchObject({
      leader_recovery_state: 1,
    });
  });

  it('reads both forms of config changes, of known types only', () => {
    const orders = { type: 'topics', entity: 'orders' };
    expect(decodeConfigChange(data('{"version":1,"entity_type":"topics","entity_name":"orders"}'))).toEqual(orders);
    expect(decodeConfigChange(data('{"version":2,"entity_path":"topics/orders"}'))).toEqual(orders);
    expect(decodeConfigChange(data('{"version":2,"entity_path":"topics"}'))).toBeNull();
    expect(decodeConfigChange(data('{"version":2,"entity_path":"planets/mars"}'))).toBeNull();
  });
});
