import { describe, expect, it } from 'vitest';
import {
  brokerPath,
  configPath,
  deleteTopicPath,
  partitionStatePath,
  pathsDownTo,
  sequenceNumber,
} from '../../../../shared/zookeeper/paths.ts';

describe('paths', () => {
  it("are Kafka's", () => {
    expect(brokerPath(7)).toBe('/brokers/ids/7');
    expect(partitionStatePath('orders', 3)).toBe('/brokers/topics/orders/partitions/3/state');
    expect(deleteTopicPath('orders')).toBe('/admin/delete_topics/orders');
    expect(configPath('users', 'alice/clients/<default>')).toBe('/config/users/alice/clients/<default>');
  });

  it('lead down from the root', () => {
    expect(pathsDownTo('/a/b/c')).toEqual(['/a', '/a/b', '/a/b/c']);
  });

  it.each([
    ['config_change_0000000007', 7],
    ['config_change_2147483647', 2147483647],
    ['config_change_-2147483648', -2147483648],
    ['config_change_', null],
    ['config_change_1x', null],
    ['other_0000000007', null],
  ])('know the number of %s', (name, number) => {
    expect(sequenceNumber('config_change_', name)).toBe(number);
  });
});
