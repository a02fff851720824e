import { listSerde } from './list.ts';
import { doubleSerde, floatSerde, integerSerde, longNumberSerde, longSerde, shortSerde } from './numbers.ts';
import { booleanSerde, bufferSerde, bytesSerde, jsonSerde, stringSerde, uuidSerde, voidSerde } from './texts.ts';

/**
 * Serializers and deserializers in one, with the bytes of Kafka's own (`org.apache.kafka.common.serialization`): what one
 * writes, the other reads. Each takes null for Kafka's null.
 */
export const serdes = {
  string: stringSerde,
  bytes: bytesSerde,
  buffer: bufferSerde,
  boolean: booleanSerde,
  short: shortSerde,
  integer: integerSerde,
  /** As bigint. */
  long: longSerde,
  /** As number, which ends at 2^53 - 1. */
  longNumber: longNumberSerde,
  float: floatSerde,
  double: doubleSerde,
  uuid: uuidSerde,
  void: voidSerde,
  json: jsonSerde,
  list: listSerde,
};
