import { crc32 } from 'node:zlib';
import { murmur2 } from '../../../client/producer/murmur2.ts';

/** Where a client's partitioner puts a key, as that client's source says. */
export type Partitioning = (key: Buffer, partitions: number) => number;

/** The Java client and those that follow it: murmur2 without its sign bit. */
export const javaLike: Partitioning = (key, partitions) => (murmur2(key) & 0x7fffffff) % partitions;

/** murmur2 read as an unsigned number. */
export const unsignedMurmur2: Partitioning = (key, partitions) => (murmur2(key) >>> 0) % partitions;

/** librdkafka's `consistent`. */
export const crc: Partitioning = (key, partitions) => crc32(key) % partitions;
