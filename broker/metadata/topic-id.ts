import type { Random } from '../../shared/runtime/random.ts';

/**
 * A random topic id in its text form (22 characters, URL-safe base64, unpadded), never one that Kafka reserves or one
 * whose text begins with a dash, which command lines would take for an option (Kafka's `Uuid.randomUuid`).
 */
export function randomTopicId(random: Random): string {
  for (;;) {
    const bytes = random.bytes(16);
    bytes[6] = (bytes[6]! & 0x0f) | 0x40;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    const text = bytes.toString('base64url');
    if (!text.startsWith('-')) return text;
  }
}
