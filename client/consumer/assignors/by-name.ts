import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { KafkaError } from '../../errors.ts';
import type { Assignor } from './assignor.ts';
import { rangeAssignor } from './range.ts';
import { roundRobinAssignor } from './round-robin.ts';
import { cooperativeStickyAssignor, stickyAssignor } from './sticky.ts';

const KAFKA = 'org.apache.kafka.clients.consumer.';
/** By name, and by the name of Kafka's class, so that properties files can be shared. */
const ASSIGNORS: Readonly<Record<string, Assignor>> = {
  range: rangeAssignor,
  roundrobin: roundRobinAssignor,
  sticky: stickyAssignor,
  'cooperative-sticky': cooperativeStickyAssignor,
  [`${KAFKA}RangeAssignor`]: rangeAssignor,
  [`${KAFKA}RoundRobinAssignor`]: roundRobinAssignor,
  [`${KAFKA}StickyAssignor`]: stickyAssignor,
  [`${KAFKA}CooperativeStickyAssignor`]: cooperativeStickyAssignor,
};

/** @param list `partition.assignment.strategy`, the preferred one first. @throws KafkaError naming what is allowed */
export function assignorsOf(list: string): Assignor[] {
  const names = list.split(',').map(name => name.trim());
  return [...new Set(names.filter(name => name !== ''))].map(name => {
    const assignor = Object.hasOwn(ASSIGNORS, name) ? ASSIGNORS[name] : undefined;
    if (assignor !== undefined) return assignor;
    const allowed = Object.keys(ASSIGNORS).filter(known => !known.startsWith(KAFKA));
    throw new KafkaError(
      ErrorCode.INVALID_CONFIG,
      `Invalid value ${name} for partition.assignment.strategy: allowed are ${allowed.join(', ')}.`,
    );
  });
}
