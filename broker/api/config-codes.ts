import type { ConfigSource } from '../../shared/config/description.ts';
import type { ConfigType } from '../../shared/config/types.ts';

/** Resource types on the wire (Kafka's ConfigResource.Type). */
export const RESOURCE_TYPE = { topic: 2, broker: 4, brokerLogger: 8 } as const;

/** Sources on the wire (Kafka's DescribeConfigsResponse.ConfigSource). */
export const CONFIG_SOURCES: Readonly<Record<ConfigSource, number>> = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
};

/** Types on the wire (Kafka's DescribeConfigsResponse.ConfigType); 0 = unknown. */
export const CONFIG_TYPES: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
};
