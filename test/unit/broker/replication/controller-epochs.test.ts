import { describe, expect, test } from 'vitest';
import { ControllerEpochs } from '../../../../broker/replication/controller-epochs.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';

const { NONE, STALE_BROKER_EPOCH, STALE_CONTROLLER_EPOCH } = ErrorCode;

describe('fencing of control requests', () => {
  test('a controller epoch older than one seen is stale; the newest seen is remembered', () => {
    const epochs = new ControllerEpochs(() => 7n);
    const check = (controllerEpoch: number) => epochs.check({ controllerId: 1, controllerEpoch, brokerEpoch: -1n });
    expect([5, 5, 6, 5].map(check)).toEqual([NONE, NONE, NONE, STALE_CONTROLLER_EPOCH]);
    expect(epochs.controllerEpoch).toBe(6);
  });

  test('a broker epoch of a former life is stale; one this broker has not heard of yet is not', () => {
    let own = 7n;
    const epochs = new ControllerEpochs(() => own);
    const check = (brokerEpoch: bigint) => epochs.check({ controllerId: 1, controllerEpoch: 1, brokerEpoch });
    expect([6n, 7n, 8n, -1n].map(check)).toEqual([STALE_BROKER_EPOCH, NONE, NONE, NONE]);
    own = 9n;
    expect(check(8n)).toBe(STALE_BROKER_EPOCH);
  });

  test('what a stale request says of the controller is not remembered', () => {
    const epochs = new ControllerEpochs(() => 7n);
    expect(epochs.check({ controllerId: 1, controllerEpoch: 99, brokerEpoch: 6n })).toBe(STALE_BROKER_EPOCH);
    expect(epochs.check({ controllerId: 1, controllerEpoch: 1, brokerEpoch: 7n })).toBe(NONE);
  });
});
